import type { AppInfo } from '@core-infra/kernel';
import type { PoolConfig } from 'pg';
import type { ConnectionOptions } from 'node:tls';
import type { DatabaseConfig } from '../config/database.config.js';

/** Our configuration in pg's words. */
export function poolOptions(config: DatabaseConfig, app: AppInfo, ssl: false | ConnectionOptions): PoolConfig {
  const { pool } = config;
  return {
    ...clientOptions(config, app, ssl),
    // 0 is sent nowhere: a proxy such as PgBouncer refuses start-up parameters that it does not know.
    statement_timeout: config.statementTimeoutMs || undefined,
    lock_timeout: config.lockTimeoutMs || undefined,
    idle_in_transaction_session_timeout: config.idleInTransactionTimeoutMs || undefined,
    max: pool.max,
    min: Math.min(pool.min, pool.max),
    idleTimeoutMillis: pool.idleTimeoutMs,
    maxLifetimeSeconds: pool.maxLifetimeMs / 1_000,
    connectionTimeoutMillis: pool.acquireTimeoutMs,
  };
}

/** The part of it that says where to and as whom. */
export function clientOptions(config: DatabaseConfig, app: AppInfo, ssl: false | ConnectionOptions): PoolConfig {
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    database: config.database,
    ssl,
    enableChannelBinding: ssl !== false && config.channelBinding !== 'disable',
    application_name: config.applicationName ?? app.name,
    options: config.sessionOptions,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
  };
}

/** Where it is, without credentials: `db.internal:5432/orders`. */
export function addressOf({ host, port, database }: DatabaseConfig): string {
  return host.startsWith('/')
    ? `${host}/${database}`
    : `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}
