import { ConfigSection, ConnectionConfig, Live, Nested } from '@core-infra/kernel';
import { IsBoolean, IsIn, IsInt, IsNumber, Matches, Max, Min } from 'class-validator';
import { CodecConfig } from './codec/codec.config.js';

/** The entries in each process. */
export class CacheMemoryConfig {
  /** How many entries at most; the ones not used for longest go first. @default 10_000 */
  @IsInt()
  @Min(1)
  @Max(10_000_000)
  maxEntries: number = 10_000;

  /** How many bytes at most, by the size of the keys and of the values as the serialiser writes them. @default 67_108_864 */
  @IsInt()
  @Min(1_024)
  maxBytes: number = 67_108_864;

  /**
   * `copied`: each caller gets a value of its own, the same whether it comes from memory or from Redis. `shared`: all callers get one object, which
   * is faster, and which nobody may change. @default 'copied'
   */
  @IsIn(['copied', 'shared'])
  values: 'copied' | 'shared' = 'copied';
}

/** What holds with `driver: redis`. */
export class CacheRedisConfig {
  /** What every key in Redis begins with; services of one prefix share their entries. @default 'cache' */
  @Matches(/^[\w.-]{1,64}$/)
  keyPrefix: string = 'cache';

  /**
   * How long one command may take, in milliseconds; then Redis counts as away, and is not asked until it answers again. @default 250
   */
  @IsInt()
  @Min(1)
  @Max(60_000)
  commandTimeoutMs: number = 250;

  /** How long a process that stopped while it loaded holds up the others, in milliseconds. @default 3_000 */
  @IsInt()
  @Min(100)
  @Max(60_000)
  leaseMs: number = 3_000;

  /** How often a waiter for another process's load looks for itself, besides being told, in milliseconds. @default 200 */
  @IsInt()
  @Min(10)
  @Max(10_000)
  pollMs: number = 200;

  /** How many invalidations the log in Redis keeps; a process that was away for longer forgets what it has in memory. @default 10_000 */
  @IsInt()
  @Min(100)
  @Max(1_000_000)
  logLength: number = 10_000;

  /** How many invalidations a process keeps while Redis is away; beyond it, whole namespaces are cleared. @default 10_000 */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  journalLength: number = 10_000;
}

/** A cache. */
@ConfigSection('cache')
export class CacheConfig extends ConnectionConfig {
  /** `memory`: in this process alone. `redis`: in memory and in Redis, kept in step between processes. @default 'memory' */
  @IsIn(['memory', 'redis'])
  driver: 'memory' | 'redis' = 'memory';

  /** @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** How long a value is fresh, in milliseconds; 0 for no end. @default 300_000 */
  @Live()
  @IsInt()
  @Min(0)
  ttlMs: number = 300_000;

  /** By how much of its TTL an entry may expire earlier, at random, so that entries of one moment do not all expire in one: from 0 to 1. @default 0.1 */
  @Live()
  @IsNumber()
  @Min(0)
  @Max(1)
  ttlJitterRatio: number = 0.1;

  /** How long after its TTL a value may still be served when the loader fails or overruns, in milliseconds. @default 60_000 */
  @Live()
  @IsInt()
  @Min(0)
  graceMs: number = 60_000;

  /** How long a stale value is served without another attempt, after a load that failed, in milliseconds. @default 5_000 */
  @Live()
  @IsInt()
  @Min(0)
  graceBackoffMs: number = 5_000;

  /** How long a `null` or `undefined` of a loader is remembered, in milliseconds; 0 for not at all. @default 1_000 */
  @Live()
  @IsInt()
  @Min(0)
  negativeTtlMs: number = 1_000;

  /** After so many milliseconds a stale value is served, where there is one, and the load goes on; 0 serves it at once. @default 500 */
  @Live()
  @IsInt()
  @Min(0)
  softTimeoutMs: number = 500;

  /** After so many milliseconds a load counts as failed; 0 for no end. @default 30_000 */
  @Live()
  @IsInt()
  @Min(0)
  hardTimeoutMs: number = 30_000;

  /** The entries in each process. */
  @Nested(() => CacheMemoryConfig)
  memory: CacheMemoryConfig = new CacheMemoryConfig();

  /** What holds with `driver: redis`. */
  @Nested(() => CacheRedisConfig)
  redis: CacheRedisConfig = new CacheRedisConfig();

  /** How values are written. */
  @Nested(() => CodecConfig)
  codec: CodecConfig = new CodecConfig();
}
