import type { AppInfo } from '@core-infra/kernel';
import type { Logger } from '@nestjs/common';
import { Client, Pool } from 'pg';
import { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/database.config.js';
import { clientOptions } from '../drivers/pool-options.js';
import type { TlsChoice } from '../drivers/tls-choice.js';
import { bindingClient } from '../query/channel-binding.js';
import { TypeOrmLogger } from '../orm/typeorm-logger.js';
import { Migrator } from './migrator.js';

/** What of Nest's `Logger` it writes with. */
export type MigratorLogger = Pick<Logger, 'log' | 'warn' | 'debug'>;

/** The migrator of a connection: on one connection of its own, by a role of its own where one is configured. */
export function openMigrator(config: DatabaseConfig, app: AppInfo, tls: TlsChoice, logger: MigratorLogger): Migrator {
  const { user = config.user } = config.migrations;
  const password = config.migrations.user ? config.migrations.password : config.password;
  const open = async () => {
    const options = {
      ...clientOptions(config, app, tls.options),
      user,
      password,
      Client: (config.channelBinding === 'require' ? bindingClient(Client, 'database migrations') : Client) as never,
      max: 1,
      connectionTimeoutMillis: config.connectTimeoutMs,
    };
    class MigrationPool extends Pool {
      constructor() {
        super(options);
        this.on('connect', client => client.on('error', () => undefined)); // the statement that it breaks rejects
      }
    }
    const dataSource = new DataSource({
      type: 'postgres',
      database: config.database,
      installExtensions: false,
      driver: { Pool: MigrationPool },
      logger: new TypeOrmLogger(logger),
    });
    await dataSource.initialize();
    try {
      // No limit for a statement that rewrites a table, whatever the role has; but one for the lock that it waits for, while
      // all others wait behind it.
      await dataSource.query(`SET statement_timeout = 0; SET lock_timeout = ${config.lockTimeoutMs}`);
      return dataSource;
    } catch (error) {
      await dataSource.destroy();
      throw error;
    }
  };
  return new Migrator({ config: config.migrations, logger, open: () => tls.attempt(open) });
}
