import { connectionSection, type DriverSite, type Opened } from '@core-infra/kernel';
import type { DataSource, DataSourceOptions } from 'typeorm';
import type { DatabaseConfig } from '../config/database.config.js';
import { tlsOptions } from '../config/tls.js';
import { entitiesOf } from '../orm/feature-entities.js';
import { InfraDataSource } from '../orm/infra-data-source.js';
import { TypeOrmLogger } from '../orm/typeorm-logger.js';
import { WatchedPool } from '../pool/watched-pool.js';
import type { QuerySite } from '../query/query-site.js';
import { Transactions } from '../transactions/transactions.js';
import { checkPostgres } from './check.js';
import { addressOf, poolOptions } from './pool-options.js';

/** pg's words for a server without TLS. */
const withoutTls = 'The server does not support SSL connections';

/** PostgreSQL through TypeORM, on a pool that watches over its connections. */
export function postgres(config: DatabaseConfig, at: DriverSite): Opened<DataSource> {
  const section = connectionSection('database', at.name);
  const { id, logger, context, clock, operations } = at;
  const site: QuerySite = { id, logger, context, clock, operations, config, section };
  const ssl = tlsOptions(config);
  let plain = false;
  let pool: WatchedPool | undefined;
  let ended: Promise<void> | undefined;

  /** TypeORM opens a pool at each attempt to connect; it gets ours, and the one of a failed attempt is ended. */
  class DriverPool extends WatchedPool {
    constructor() {
      super(poolOptions(config, at.app, plain ? false : ssl), site);
      pool = this;
    }
  }

  const dataSource: InfraDataSource = new InfraDataSource(
    {
      installExtensions: false,
      uuidExtension: 'pgcrypto',
      ...config.typeorm,
      type: 'postgres',
      database: config.database,
      entities: [...new Set([...config.entities, ...entitiesOf(at.modules, at.name)])],
      driver: { Pool: DriverPool },
      logger: new TypeOrmLogger(logger),
    } as DataSourceOptions,
    { id, maxConnections: config.pool.max, pool: () => pool, transactions: () => transactions },
  );
  const transactions = new Transactions({
    id,
    name: at.name,
    dataSource,
    logger,
    retries: config.transactionRetries,
  });

  const initialize = async () => {
    const previous = pool;
    if (previous && !previous.ending) await previous.end();
    await dataSource.initialize();
  };

  return {
    client: dataSource,
    address: addressOf(config),
    connect: async () => {
      try {
        await initialize();
      } catch (error) {
        if (config.sslMode !== 'prefer' || plain || (error as Error).message !== withoutTls) throw error;
        plain = true;
        await initialize();
      }
      await pool!.warmUp();
    },
    check: () => checkPostgres(pool!),
    close: async signal => {
      if (!pool || pool.ending) return;
      await pool.idle(AbortSignal.any([signal, AbortSignal.timeout(config.shutdownTimeoutMs / 2)]));
      const cut = pool.cut();
      if (cut > 0) logger.warn(`${cut} connection(s) were still in use at the end and were cut`);
      await (ended ??= dataSource.isInitialized ? dataSource.destroy() : pool.end());
    },
  };
}
