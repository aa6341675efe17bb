import { RedisModule, type RedisOptions } from '@core-infra/redis';
import { bootInfra, type InfraApp } from '@core-infra/testing';
import { CacheModule, type CacheOptions } from '../../src/index.js';

/** An app with a cache in Redis. Time limits are wide, for a machine that does more than this spec. */
export function bootRedisCache(
  connection: RedisOptions,
  keyPrefix: string,
  options: CacheOptions = {},
): Promise<InfraApp> {
  return bootInfra(
    RedisModule.forRoot(connection),
    CacheModule.forRoot({
      startup: 'require',
      ...options,
      driver: 'redis',
      redis: { commandTimeoutMs: 2_000, ...options.redis, keyPrefix },
    }),
  );
}
