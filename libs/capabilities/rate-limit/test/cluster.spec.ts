import { RedisModule } from '@core-infra/redis';
import { bootInfra, eventually, uniqueName, useRedisCluster } from '@core-infra/testing';
import { RateLimiter, RateLimitModule } from '@core-infra/rate-limit';
import { hourly } from './support/redis.app.js';

describe('a cluster', () => {
  const cluster = useRedisCluster();

  it('loses a master: no decision fails, and its replica counts on', async () => {
    const nodes = cluster.nodes.map(({ url }) => new URL(url).host);
    await using app = await bootInfra(
      RedisModule.forRoot({ driver: 'cluster', password: cluster.password, cluster: { nodes }, startup: 'require' }),
      RateLimitModule.forRoot({ driver: 'redis', keyPrefix: uniqueName('limit') }),
    );
    const limiter = app.get(RateLimiter);
    const rule = hourly(1_000_000);
    const callers = Array.from({ length: 30 }, (_, at) => `caller-${at}`);
    const everybody = () => Promise.all(callers.map(caller => limiter.consume(rule, caller)));
    await eventually(async () => expect((await everybody()).map(({ by }) => by)).toEqual(callers.map(() => 'redis')));

    await cluster.killMaster('caller-0');
    let over = false;
    const settled = cluster.settled().finally(() => (over = true));
    let decided = 0;
    while (!over) {
      const decisions = await everybody();
      expect(decisions.every(({ allowed, by }) => allowed && (by === 'redis' || by === 'local'))).toBe(true);
      decided += decisions.length;
      await new Promise(done => setTimeout(done, 10));
    }
    await settled;
    expect(decided).toBeGreaterThan(0);
    await eventually(async () => expect((await everybody()).map(({ by }) => by)).toEqual(callers.map(() => 'redis')));
  });
});
