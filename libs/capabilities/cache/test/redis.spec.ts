import { uniqueName, useRedis, useRedisCluster, useRedisSentinel } from '@core-infra/testing';
import { bootRedisCache } from './support/boot-cache.js';
import { cacheContract } from './support/cache.contract.js';

describe('one server', () => {
  const redis = useRedis();
  cacheContract('redis', options => bootRedisCache({ url: redis.url }, uniqueName('cache'), options));
  // What is read comes from Redis here.
  cacheContract('redis, with room for one entry in memory', options =>
    bootRedisCache({ url: redis.url }, uniqueName('cache'), { ...options, memory: { maxEntries: 1 } }),
  );
});

describe('a cluster', () => {
  const cluster = useRedisCluster({ replicasPerMaster: 0 });
  cacheContract('a cluster', options =>
    bootRedisCache(
      {
        driver: 'cluster',
        password: cluster.password,
        cluster: { nodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`) },
      },
      uniqueName('cache'),
      options,
    ),
  );
});

describe('sentinels', () => {
  const group = useRedisSentinel();
  cacheContract('sentinels', options =>
    bootRedisCache(
      {
        driver: 'sentinel',
        password: group.password,
        sentinel: {
          nodes: group.sentinels.map(({ host, port }) => `${host}:${port}`),
          masterName: group.masterName,
        },
      },
      uniqueName('cache'),
      options,
    ),
  );
});
