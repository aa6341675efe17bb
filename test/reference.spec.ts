import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AppConfig, ConfigModule, DevelopmentConfig } from '@core-infra/config';
import { ServerConfig } from '@core-infra/core';
import { DatabaseConfig } from '@core-infra/database';
import { HttpConfig } from '@core-infra/http';
import { type ConfigClass, ConfigError, ConfigSource } from '@core-infra/kernel';
import { LoggingConfig } from '@core-infra/logger';
import { RateLimitConfig } from '@core-infra/rate-limit';
import { RedisConfig } from '@core-infra/redis';
import { bootInfra } from '@core-infra/testing';

// The names and units that users already rely on. A row: what is set, and what the field then is. A further concern adds its rows here.

type Row = [set: Record<string, string> | string, path: string, value: unknown];

/** The fields of one class as a given environment, or a given file, sets them. */
async function read(Config: ConfigClass, set: Record<string, string> | string): Promise<unknown> {
  const root = mkdtempSync(path.join(tmpdir(), 'core-infra-reference-'));
  try {
    writeFileSync(path.join(root, 'package.json'), '{ "name": "shop", "version": "1.2.3" }');
    mkdirSync(path.join(root, 'config'));
    if (typeof set === 'string') writeFileSync(path.join(root, 'config/default.yaml'), set);
    const env = typeof set === 'string' ? {} : set;
    const options = { root, env, argv: [], watch: false };
    await using app = await bootInfra(
      ConfigModule.forRoot(options),
      ConfigModule.forFeature(ServerConfig, HttpConfig, DatabaseConfig, LoggingConfig, RedisConfig, RateLimitConfig),
    );
    return app.get(Config, { strict: false });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const valueAt = (config: unknown, keys: string) =>
  keys.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], config);

const dsn = 'postgres://me:secret@db.example:6432/orders?sslmode=disable';
const redisUrl = 'rediss://me:secret@cache.example:6380/2';
const SECOND = 1_000;
const MINUTE = 60_000;
const MB = 1024 ** 2;
const DAY = 86_400_000;

const reference: [ConfigClass, Row[]][] = [
  [
    AppConfig,
    [
      [{}, 'environment', 'development'],
      [{ NODE_ENV: 'production' }, 'environment', 'production'],
      [{ NODE_ENV: 'prod' }, 'environment', 'production'],
      [{ NODE_ENV: 'dev' }, 'environment', 'development'],
      [{ ENVIRONMENT: 'staging' }, 'environment', 'staging'],
      [{ ENVIRONMENT: 'prod' }, 'environment', 'production'],
      [{}, 'name', 'shop'],
      [{ APP_NAME: 'orders' }, 'name', 'orders'],
      [{ OTEL_SERVICE_NAME: 'orders' }, 'name', 'orders'],
      [{}, 'version', '1.2.3'],
      [{ APP_VERSION: '2' }, 'version', '2'],
      [{ OTEL_SERVICE_VERSION: '2' }, 'version', '2'],
      [{ APP_INSTANCE: 'pod-1' }, 'instance', 'pod-1'],
    ],
  ],
  [
    DevelopmentConfig,
    [
      [{}, 'debug', false],
      [{ DEVELOPMENT_DEBUG: 'true' }, 'debug', true],
      ['development: { debug: true }', 'debug', true],
    ],
  ],
  [
    ServerConfig,
    [
      [{}, 'port', 3000],
      [{ APP_PORT: '1' }, 'port', 1],
      [{ SERVER_PORT: '2' }, 'port', 2],
      [{ PORT: '3' }, 'port', 3],
      [{ HTTP_PORT: '4' }, 'port', 4],
      ['http: { port: 5 }', 'port', 5],
    ],
  ],
  [
    HttpConfig,
    [
      [{}, 'prefix', '/api/v1'],
      [{ API_PREFIX: '/v2' }, 'prefix', '/v2'],
      [{}, 'docsUrl', '/docs'],
      [{ DOCS_URL: '/manual' }, 'docsUrl', '/manual'],
      [{ DOCS_URL: '' }, 'docsUrl', ''],
      ['http: { docs_url: "" }', 'docsUrl', ''],
    ],
  ],
  [
    DatabaseConfig,
    [
      [{}, 'port', 5432],
      ...['POSTGRES_DSN', 'DATABASE_URL'].flatMap((name): Row[] => [
        [{ [name]: dsn }, 'host', 'db.example'],
        [{ [name]: dsn }, 'port', 6432],
        [{ [name]: dsn }, 'user', 'me'],
        [{ [name]: dsn }, 'password', 'secret'],
        [{ [name]: dsn }, 'database', 'orders'],
        [{ [name]: dsn }, 'sslMode', 'disable'],
      ]),
      [{ DATABASE_HOST: 'db' }, 'host', 'db'],
      [{ DATABASE_PORT: '1' }, 'port', 1],
      [{ DATABASE_USER: 'me' }, 'user', 'me'],
      [{ DATABASE_PASSWORD: 'x' }, 'password', 'x'],
      [{ DATABASE_NAME: 'orders' }, 'database', 'orders'],
      [{ DATABASE_DB_NAME: 'orders' }, 'database', 'orders'],
      [{ DATABASE_SSL_MODE: 'require' }, 'sslMode', 'require'],
      ['database: { sslmode: require }', 'sslMode', 'require'],
      [{}, 'pool.max', 10],
      [{ POSTGRES_MAX_OPEN_CONNS: '25' }, 'pool.max', 25],
      ['database: { max_open_conns: 25 }', 'pool.max', 25],
      [{ DATABASE_POOL_SIZE: '5', DATABASE_MAX_OVERFLOW: '10' }, 'pool.max', 15],
      [{}, 'pool.min', 0],
      [{ POSTGRES_MAX_IDLE_CONNS: '2' }, 'pool.min', 2],
      ['database: { max_idle_conns: 2 }', 'pool.min', 2],
      [{ POSTGRES_CONN_MAX_LIFETIME: '5' }, 'pool.maxLifetimeMs', 5 * MINUTE],
      [{ POSTGRES_CONN_MAX_LIFETIME: '90s' }, 'pool.maxLifetimeMs', 1.5 * MINUTE],
      [{ POSTGRES_CONN_MAX_IDLE_TIME: '5' }, 'pool.idleTimeoutMs', 5 * MINUTE],
      ['database: { conn_max_lifetime: "5m" }', 'pool.maxLifetimeMs', 5 * MINUTE],
      ['database: { conn_max_idle_time: 2 }', 'pool.idleTimeoutMs', 2 * MINUTE],
      [{}, 'echo', false],
      [{ DATABASE_ECHO: 'true' }, 'echo', true],
      ['database: { echo: true }', 'echo', true],
    ],
  ],
  [
    RedisConfig,
    [
      [{}, 'port', 6379],
      [{ REDIS_URL: redisUrl }, 'host', 'cache.example'],
      [{ REDIS_URL: redisUrl }, 'port', 6380],
      [{ REDIS_URL: redisUrl }, 'user', 'me'],
      [{ REDIS_URL: redisUrl }, 'password', 'secret'],
      [{ REDIS_URL: redisUrl }, 'db', 2],
      [{ REDIS_ADDR: 'cache:6380' }, 'host', 'cache'],
      [{ REDIS_ADDR: 'cache:6380' }, 'port', 6380],
      [{ REDIS_ADDR: 'cache:6380', REDIS_PASSWORD: 'x', REDIS_DB: '3' }, 'host', 'cache'],
      [{ REDIS_ADDR: 'cache:6380', REDIS_PASSWORD: 'x', REDIS_DB: '3' }, 'password', 'x'],
      [{ REDIS_ADDR: 'cache:6380', REDIS_PASSWORD: 'x', REDIS_DB: '3' }, 'db', 3],
      [{ REDIS_HOST: 'cache' }, 'host', 'cache'],
      [{ REDIS_PORT: '1' }, 'port', 1],
      [{ REDIS_PASSWORD: 'x' }, 'password', 'x'],
      [{ REDIS_DB: '5' }, 'db', 5],
      [{ REDIS_NAMESPACE: 'orders:' }, 'namespace', 'orders:'],
      [{}, 'maxRetries', 3],
      [{ REDIS_MAX_RETRIES: '7' }, 'maxRetries', 7],
      [{}, 'connectTimeoutMs', 5 * SECOND],
      [{ REDIS_DIAL_TIMEOUT: '7' }, 'connectTimeoutMs', 7 * SECOND],
      [{}, 'commandTimeoutMs', 3 * SECOND],
      [{ REDIS_READ_TIMEOUT: '2' }, 'commandTimeoutMs', 2 * SECOND],
      [{ REDIS_WRITE_TIMEOUT: '2' }, 'commandTimeoutMs', 2 * SECOND],
      [{ REDIS_WRITE_TIMEOUT: '250ms' }, 'commandTimeoutMs', 250],
      // Accepted, each with a notice that says why it changes nothing.
      ...['POOL_TIMEOUT', 'POOL_SIZE', 'MIN_IDLE_CONNS', 'MAX_CONN_AGE', 'IDLE_TIMEOUT'].map((name): Row => [
        { [`REDIS_${name}`]: '4' },
        'port',
        6379,
      ]),
    ],
  ],
  [
    RateLimitConfig,
    [
      [{}, 'default.limit', 100],
      [{ RATE_LIMIT_REQUESTS: '20' }, 'default.limit', 20],
      [{}, 'default.windowMs', MINUTE],
      [{ RATE_LIMIT_WINDOW: '30' }, 'default.windowMs', 30 * SECOND],
    ],
  ],
  [
    LoggingConfig,
    [
      [{ LOG_LEVEL: 'DEBUG' }, 'level', 'debug'],
      ['logging: { level: warn }', 'level', 'warn'],
      ['logging: { format: json }', 'format', 'json'],
      ['logging: { format: text }', 'format', 'text'],
      [{}, 'output', 'stdout'],
      ['logging: { output: file }', 'output', 'file'],
      ['logging: { output: both }', 'output', 'both'],
      ['logging: { file_path: /var/log/app.log }', 'filePath', '/var/log/app.log'],
      [{}, 'maxSizeBytes', 100 * MB],
      ['logging: { max_size: 5 }', 'maxSizeBytes', 5 * MB],
      ['logging: { max_file_size: 4096 }', 'maxSizeBytes', 4096],
      [{}, 'maxBackups', 3],
      ['logging: { max_backups: 7 }', 'maxBackups', 7],
      ['logging: { backup_count: 7 }', 'maxBackups', 7],
      [{}, 'maxAgeMs', 28 * DAY],
      ['logging: { max_age: 2 }', 'maxAgeMs', 2 * DAY],
      ['logging: { enable_console: false }', 'enableConsole', false],
      ['logging: { enable_file: true }', 'enableFile', true],
      ['logging: { enable_json: true }', 'enableJson', true],
    ],
  ],
];

describe.each(reference.map(([Config, rows]) => [Config.name, Config, rows] as const))('%s', (_, Config, rows) => {
  it.each(rows)('%p sets %s to %p', async (set, keys, value) => {
    expect(valueAt(await read(Config, set), keys)).toEqual(value);
  });
});

describe('a contradiction', () => {
  it.each([
    [{ NODE_ENV: 'test', ENVIRONMENT: 'production' }, ['NODE_ENV', 'ENVIRONMENT']],
    [{ PORT: '1', APP_PORT: '2' }, ['PORT', 'APP_PORT']],
    [{ APP_NAME: 'a', OTEL_SERVICE_NAME: 'b' }, ['APP_NAME', 'OTEL_SERVICE_NAME']],
    [{ DATABASE_URL: dsn, DATABASE_HOST: 'other' }, ['DATABASE_URL', 'DATABASE_HOST']],
    [{ REDIS_URL: redisUrl, REDIS_ADDR: 'other:6380' }, ['REDIS_URL', 'REDIS_ADDR']],
    [{ REDIS_ADDR: 'cache:6379', REDIS_PORT: '6380' }, ['REDIS_ADDR', 'REDIS_PORT']],
    [{ POSTGRES_MAX_OPEN_CONNS: '3', DATABASE_POOL_SIZE: '4' }, ['POSTGRES_MAX_OPEN_CONNS', 'DATABASE_POOL_SIZE']],
  ])('in %p is an error that names both, and no secret', async (set, names) => {
    const error = await read(ConfigSource as never, set).catch((thrown: unknown) => thrown as Error);
    expect(error).toBeInstanceOf(ConfigError);
    for (const name of names) expect((error as Error).message).toContain(name);
    expect((error as Error).message).not.toContain('secret');
  });
});

describe('the service link of Kubernetes', () => {
  it('is not taken for the port of a Redis, and the error says how to turn it off', async () => {
    const env = { REDIS_PORT: 'tcp://10.0.0.7:6379' };
    await expect(read(RedisConfig, env)).rejects.toThrow(/REDIS_PORT[^]*enableServiceLinks/);
  });
});

describe('debug in production', () => {
  it('is refused', async () => {
    await expect(read(AppConfig, { NODE_ENV: 'prod', DEVELOPMENT_DEBUG: '1' })).rejects.toThrow('development.debug');
  });
});
