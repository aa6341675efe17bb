import { connectionSection, type DriverSite, type Opened } from '@core-infra/kernel';
import type { DataSource, DataSourceOptions } from 'typeorm';
import type { DatabaseConfig } from '../config/database.config.js';
import { migrateAtBoot } from '../migrations/at-boot.js';
import { MigrationCommandDone, migrationScope } from '../migrations/migration-scope.js';
import { openMigrator } from '../migrations/open-migrator.js';
import { entitiesOf } from '../orm/feature-entities.js';
import { InfraDataSource } from '../orm/infra-data-source.js';
import { TypeOrmLogger } from '../orm/typeorm-logger.js';
import { WatchedPool } from '../pool/watched-pool.js';
import type { QuerySite } from '../query/query-site.js';
import { Transactions } from '../transactions/transactions.js';
import { checkPostgres } from './check.js';
import { addressOf, poolOptions } from './pool-options.js';
import { TlsChoice } from './tls-choice.js';

/** PostgreSQL through TypeORM, on a pool that watches over its connections. */
export async function postgres(config: DatabaseConfig, at: DriverSite): Promise<Opened<DataSource>> {
  const { id, name, logger, context, clock, operations } = at;
  const site: QuerySite = {
    id,
    logger,
    context,
    clock,
    operations,
    config,
    section: connectionSection('database', name),
  };
  const tls = new TlsChoice(config);
  const address = addressOf(config);
  const migrator = openMigrator(config, at.app, tls, logger);
  let pool: WatchedPool | undefined;

  /** TypeORM opens a pool at each attempt to connect; it gets ours. */
  class DriverPool extends WatchedPool {
    constructor() {
      super(poolOptions(config, at.app, tls.options), site);
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
      entities: [...new Set([...config.entities, ...entitiesOf(at.modules, name)])],
      driver: { Pool: DriverPool },
      logger: new TypeOrmLogger(logger),
    } as DataSourceOptions,
    { id, maxConnections: config.pool.max, pool: () => pool, transactions: () => transactions, migrator },
  );
  const transactions = new Transactions({ id, name, dataSource, logger, retries: config.transactionRetries });

  const command = migrationScope.getStore();
  if (command) {
    if (command.connection !== name) return { client: dataSource, address };
    await command.found(migrator);
    throw new MigrationCommandDone();
  }
  const migrated = await migrateAtBoot(config, at, migrator, address);

  const initialize = async () => {
    // That of an attempt which failed halfway.
    if (pool && !pool.ending) await pool.end();
    await dataSource.initialize();
  };
  return {
    client: dataSource,
    address,
    connect: async () => {
      await migrated();
      await tls.attempt(initialize);
      await pool!.warmUp();
    },
    check: signal => checkPostgres(pool!, context, signal),
    close: async signal => {
      if (!pool || pool.ending) return;
      await pool.idle(AbortSignal.any([signal, AbortSignal.timeout(config.shutdownTimeoutMs / 2)]));
      const cut = pool.cut();
      if (cut > 0) logger.warn(`${cut} connection(s) were still in use at the end and were cut`);
      await (dataSource.isInitialized ? dataSource.destroy() : pool.end());
    },
  };
}
