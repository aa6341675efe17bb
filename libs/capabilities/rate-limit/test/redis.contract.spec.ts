import { RedisModule } from '@core-infra/redis';
import { bootInfra, uniqueName, useRedis, useRedisCluster } from '@core-infra/testing';
import { RateLimitModule } from '@core-infra/rate-limit';
import { limiterContract } from './support/limiter.contract.js';

// A long time-out, since these are about counting: nobody else may decide.
const limits = () =>
  RateLimitModule.forRoot({ driver: 'redis', keyPrefix: uniqueName('limit'), timeoutMs: 10_000, rememberMs: 0 });

describe('one server', () => {
  const redis = useRedis();
  limiterContract('redis', 'redis', () =>
    bootInfra(RedisModule.forRoot({ url: redis.url, startup: 'require' }), limits()),
  );
});

describe('a cluster', () => {
  const cluster = useRedisCluster();
  limiterContract('a redis cluster', 'redis', () => {
    const { nodes, password } = cluster;
    const addresses = nodes.map(({ url }) => new URL(url).host);
    return bootInfra(
      RedisModule.forRoot({ driver: 'cluster', password, cluster: { nodes: addresses }, startup: 'require' }),
      limits(),
    );
  });
});
