import type { DataSource } from 'typeorm';
import { partsOf } from '../orm/infra-data-source.js';
import { NotOurDataSourceError } from '../transactions/errors.js';
import type { Migrator } from './migrator.js';

/**
 * The {@link Migrator} of a `DataSource`, by the role and with the folder of its configuration.
 * @throws NotOurDataSourceError
 */
export function migratorOf(dataSource: DataSource): Migrator {
  const parts = partsOf(dataSource);
  if (!parts) throw new NotOurDataSourceError('migratorOf');
  return parts.migrator;
}
