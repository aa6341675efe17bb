import { eventually, uniqueName, useRedisCluster } from '@core-infra/testing';
import { Connections } from '@core-infra/kernel';
import { Cache } from '../src/index.js';
import { bootRedisCache } from './support/boot-cache.js';

describe('a cluster that loses a master', () => {
  const cluster = useRedisCluster();

  it('no call fails, and all processes agree again once another master is there', async () => {
    const keyPrefix = uniqueName('cache');
    const boot = () =>
      bootRedisCache(
        {
          driver: 'cluster',
          password: cluster.password,
          cluster: { nodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`) },
        },
        keyPrefix,
        { redis: { commandTimeoutMs: 500 } },
      );
    await using one = await boot();
    await using two = await boot();
    const [a, b] = [one, two].map(app => app.get(Cache).namespace('orders')) as [Cache, Cache];
    const keys = Array.from({ length: 60 }, (_, at) => `k${at}`);
    await a.setMany(keys.map(key => [key, 'old']));
    expect((await b.getMany(keys)).size).toBe(60);

    // The one that has the log, so that everything is away; other masters go on.
    await cluster.killMaster(`{${keyPrefix}}:log`);
    for (const key of keys) {
      await a.delete(key);
      expect(await a.getOrSet(key, () => 'new')).toBe('new');
    }
    await cluster.settled();
    await eventually(
      async () => {
        for (const app of [one, two]) {
          const check = app
            .get(Connections)
            .checks()
            .find(({ name }) => name === 'cache')!;
          expect(await check.run()).toMatchObject({ shared: 'ready', owedInvalidations: 0 });
        }
      },
      { timeoutMs: 30_000 },
    );
    await eventually(async () => expect([...(await b.getMany(keys)).values()]).not.toContain('old'));
    expect([...(await a.getMany(keys)).values()]).not.toContain('old');
    await a.set('after', 1);
    await eventually(async () => expect(await b.get('after')).toBe(1));
  }, 90_000);
});
