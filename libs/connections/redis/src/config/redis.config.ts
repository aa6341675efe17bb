import {
  Alias,
  ConfigSection,
  ConnectionConfig,
  Env,
  EnvParts,
  IgnoredEnv,
  KeyParts,
  Live,
  Nested,
  Secret,
} from '@core-infra/kernel';
import { IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString, Max, Min } from 'class-validator';
import type { RedisOptions as IoredisOptions } from 'ioredis';
import { parseAddress, parseRedisUrl } from './address.js';
import { RedisClusterConfig } from './cluster.config.js';
import { RedisHealthConfig } from './health.config.js';
import { RedisRetryConfig } from './retry.config.js';
import { RedisSentinelConfig } from './sentinel.config.js';
import { RedisTlsConfig } from './tls.config.js';

/** A Redis server, cluster, or master watched by sentinels. What an address says merges with the fields; a contradiction is an error. */
@ConfigSection('redis')
@EnvParts('REDIS_URL', parseRedisUrl)
@EnvParts('REDIS_ADDR', parseAddress)
@KeyParts('url', parseRedisUrl)
@KeyParts('addr', parseAddress)
@IgnoredEnv(
  ['REDIS_POOL_SIZE', 'REDIS_MIN_IDLE_CONNS'],
  'there is no pool: all commands share one multiplexed connection (one for each node of a cluster)',
)
@IgnoredEnv(['REDIS_POOL_TIMEOUT'], 'no command waits for a connection of a pool: all share one multiplexed connection')
@IgnoredEnv(
  ['REDIS_MAX_CONN_AGE', 'REDIS_IDLE_TIMEOUT'],
  'the one multiplexed connection stays open, and is replaced when it does not answer',
)
export class RedisConfig extends ConnectionConfig {
  /** How the server is reached: `standalone`, `cluster`, or a master that `sentinel`s name. @default 'standalone' */
  @IsIn(['standalone', 'cluster', 'sentinel'])
  driver: 'standalone' | 'cluster' | 'sentinel' = 'standalone';

  /** A whole address in place of the fields: `redis://user:password@host:6379/0`, `rediss://` with TLS. */
  declare url?: string;

  /** `host:port` in place of the two fields. */
  declare addr?: string;

  /** Name, address, or the path of a Unix socket. @default 'localhost' */
  @IsString()
  host: string = 'localhost';

  /** @default 6379 */
  @IsInt()
  @Min(1)
  @Max(65_535)
  port: number = 6379;

  /** Number of the database; a cluster has only 0. @default 0 */
  @IsInt()
  @Min(0)
  @Alias('database')
  db: number = 0;

  /** ACL user; without one the server's default user. */
  @IsOptional()
  @IsString()
  @Env('REDIS_USERNAME')
  @Alias('username')
  user?: string;

  @IsOptional()
  @IsString()
  @Secret()
  password?: string;

  /** Put before every key, and so before every pattern of `SCAN`: `orders:`. @default '' */
  @IsString()
  @Alias('key_prefix')
  namespace: string = '';

  @Nested(() => RedisTlsConfig)
  tls: RedisTlsConfig = new RedisTlsConfig();

  /** Whether a production app refuses to boot without a password, or without TLS towards another host; else it warns. @default false */
  @IsBoolean()
  requireSecure: boolean = false;

  /** @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** How long a boot waits for the server, and one attempt to connect may take, in milliseconds. @default 5_000 */
  @IsInt()
  @Min(1)
  @Env('REDIS_DIAL_TIMEOUT', { unit: 's' })
  @Alias('dial_timeout', { unit: 's' })
  override connectTimeoutMs: number = 5_000;

  /** How long one command may take, in milliseconds, before it rejects. @default 3_000 */
  @IsInt()
  @Min(1)
  @Max(600_000)
  @Live()
  @Env('REDIS_READ_TIMEOUT', 'REDIS_WRITE_TIMEOUT', { unit: 's' })
  @Alias('read_timeout', { unit: 's' })
  @Alias('write_timeout', { unit: 's' })
  commandTimeoutMs: number = 3_000;

  /**
   * How many attempts to connect again a command waits for that was under way when the connection was lost: one that only reads, outside of
   * pipelines. Any other fails at once, as it may have been executed. @default 3
   */
  @IsInt()
  @Min(0)
  @Max(100)
  maxRetries: number = 3;

  @Nested(() => RedisRetryConfig)
  retry: RedisRetryConfig = new RedisRetryConfig();

  /** Whether commands of one turn of the event loop are sent in one write. @default false */
  @IsBoolean()
  autoPipelining: boolean = false;

  /** Whether commands wait for the server while it is away, up to `commandTimeoutMs`, rather than fail at once. @default false */
  @IsBoolean()
  offlineQueue: boolean = false;

  /** Name of this client in `CLIENT LIST`. @default the app's name */
  @IsOptional()
  @IsString()
  clientName?: string;

  /** When the operating system begins to ask an idle connection for a sign of life, in milliseconds. @default 10_000 */
  @IsInt()
  @Min(0)
  keepAliveMs: number = 10_000;

  /** `store` where Redis holds the only copy: then a failed save, or a policy that evicts such keys, counts as degraded. @default 'cache' */
  @IsIn(['cache', 'store'])
  persistence: 'cache' | 'store' = 'cache';

  @Nested(() => RedisHealthConfig)
  health: RedisHealthConfig = new RedisHealthConfig();

  @Nested(() => RedisClusterConfig)
  cluster: RedisClusterConfig = new RedisClusterConfig();

  @Nested(() => RedisSentinelConfig)
  sentinel: RedisSentinelConfig = new RedisSentinelConfig();

  /** More options of ioredis, given in code: `family`, `stringNumbers`, … @default {} */
  @IsObject()
  ioredis: Partial<IoredisOptions> = {};

  static *check(config: RedisConfig): Iterable<{ path: string; expected: string }> {
    const { driver, db, tls, retry, cluster, sentinel, host } = config;
    if (driver === 'cluster' && db !== 0) yield { path: 'db', expected: '0, as a cluster has one database' };
    if (driver === 'cluster' && host.startsWith('/'))
      yield { path: 'host', expected: 'a host, as a cluster has several nodes' };
    if (driver !== 'cluster' && cluster.nodes.length > 0)
      yield { path: 'driver', expected: '"cluster", as cluster.nodes is set' };
    if (driver !== 'sentinel' && sentinel.nodes.length > 0)
      yield { path: 'driver', expected: '"sentinel", as sentinel.nodes is set' };
    if (driver === 'sentinel' && sentinel.nodes.length === 0)
      yield { path: 'sentinel.nodes', expected: 'the address of a sentinel at least, host:port' };
    if (tls.cert && !tls.key) yield { path: 'tls.key', expected: 'the private key of tls.cert' };
    if (tls.key && !tls.cert) yield { path: 'tls.cert', expected: 'the certificate of tls.key' };
    if (retry.maxDelayMs < retry.firstDelayMs)
      yield { path: 'retry.maxDelayMs', expected: 'no less than retry.firstDelayMs' };
  }
}
