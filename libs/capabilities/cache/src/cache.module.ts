import { Module } from '@nestjs/common';
import { type ConfigInput, defineConcern, lazyDriver } from '@core-infra/kernel';
import { Cache } from './cache.js';
import { CacheConfig } from './cache.config.js';
import { memory } from './drivers/memory.js';

/** What `forRoot` takes. */
export type CacheOptions = ConfigInput<CacheConfig>;

const cache = defineConcern<CacheConfig, Cache>({
  name: 'cache',
  port: Cache,
  config: CacheConfig,
  upstreams: { redis: 'redis' },
  drivers: {
    memory,
    redis: lazyDriver(() => import('./drivers/redis.js'), ['@core-infra/redis', 'ioredis@^5.11']),
  },
});

/** DI token of a cache: `Cache` itself for the default one. */
export const getCacheToken = cache.token;

/** Injects a cache by its name. */
export const InjectCache = cache.Inject;

/** A cache: {@link Cache} by type. */
@Module({})
export class CacheModule extends cache.ConcernModule {}
