import type { DataSource } from 'typeorm';
import type { PoolStats } from '../errors.js';
import { partsOf } from '../orm/infra-data-source.js';
import { NotOurDataSourceError } from '../transactions/errors.js';

/**
 * How many connections of the pool are in use, free and waited for; nothing is asked of the server.
 * @throws NotOurDataSourceError
 */
export function poolStats(dataSource: DataSource): PoolStats {
  const parts = partsOf(dataSource);
  if (!parts) throw new NotOurDataSourceError('poolStats');
  return parts.pool()?.stats ?? { active: 0, idle: 0, waiting: 0, max: parts.maxConnections };
}
