import { RedisModule } from '@core-infra/redis';
import { bootInfra, uniqueName, useRedis } from '@core-infra/testing';
import { CacheModule, type CacheOptions } from '../src/index.js';
import { cacheModel } from './support/cache.model.js';

const redis = useRedis();
const exact: CacheOptions = { ttlJitterRatio: 0, negativeTtlMs: 0 };

cacheModel('memory', clock => bootInfra(clock, CacheModule.forRoot(exact)), 150);

for (const maxEntries of [1, 10_000]) {
  cacheModel(
    `redis with room for ${maxEntries} entries in memory`,
    clock =>
      bootInfra(
        clock,
        RedisModule.forRoot({ url: redis.url }),
        CacheModule.forRoot({
          ...exact,
          driver: 'redis',
          startup: 'require',
          memory: { maxEntries },
          redis: { keyPrefix: uniqueName('cache'), commandTimeoutMs: 5_000 },
        }),
      ),
    40,
  );
}
