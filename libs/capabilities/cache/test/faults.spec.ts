import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, type InfraApp, uniqueName, useRedis, useRedisServer, useToxiproxy } from '@core-infra/testing';
import { Connections } from '@core-infra/kernel';
import { Redis } from '@core-infra/redis';
import { Cache, type CacheOptions } from '../src/index.js';
import { bootRedisCache } from './support/boot-cache.js';

const checkOf = (app: InfraApp) =>
  app
    .get(Connections)
    .checks()
    .find(({ name }) => name === 'cache')!
    .run();
const awayFrom = (app: InfraApp) =>
  eventually(async () => expect(await checkOf(app)).toMatchObject({ shared: 'away' }));
const joined = (...apps: InfraApp[]) =>
  eventually(async () => {
    for (const app of apps) expect(await checkOf(app)).toMatchObject({ shared: 'ready', owedInvalidations: 0 });
  });

const quick: CacheOptions = { ttlJitterRatio: 0, redis: { commandTimeoutMs: 250 } };

describe('Redis behind a network that fails', () => {
  const redis = useRedis();
  const near = useToxiproxy(() => redis.url);
  let apps: InfraApp[];
  /** Behind the proxy, and beside it. */
  let far: Cache;
  let well: Cache;

  beforeEach(async () => {
    const keyPrefix = uniqueName('cache');
    apps = [
      await bootRedisCache({ url: near.url }, keyPrefix, quick),
      await bootRedisCache({ url: redis.url }, keyPrefix, quick),
    ];
    [far, well] = apps.map(app => app.get(Cache).namespace('orders')) as [Cache, Cache];
  });
  afterEach(async () => {
    await near.heal();
    await Promise.all(apps.map(app => app.close()));
  });

  const faults: [name: string, begin: () => Promise<void>][] = [
    ['latency of 5 s', () => near.latency(5_000)],
    ['reset', () => near.resetPeer()],
    ['half-open', () => near.halfOpen()],
    ['down', () => near.down()],
  ];

  it.each(faults)(
    '%s: calls go on from memory, stale values and the loader; nothing old afterwards',
    async (_name, begin) => {
      const keys = ['deleted', 'tagged', 'user:1', 'set', 'kept'];
      for (const key of keys) await far.set(key, 'old', { tags: key === 'tagged' ? ['t'] : [] });
      await far.namespace('inner').set('cleared', 'old');
      expect((await well.getMany(keys)).size).toBe(keys.length);
      expect(await well.namespace('inner').get('cleared')).toBe('old');
      await far.set('stale', 'stale', { ttlMs: 1, graceMs: 60_000 });

      await begin();
      const began = performance.now();
      expect(await far.get('kept')).toBe('old');
      expect(await far.getOrSet('loaded', () => 'loaded')).toBe('loaded');
      expect(await far.getOrSet('stale', () => Promise.reject(new Error('source is down')))).toBe('stale');
      await expect(far.getOrSet('missing', () => Promise.reject(new Error('source is down')))).rejects.toThrow(
        'source',
      );
      await far.delete('deleted');
      await far.deleteByTag('t');
      await far.clearPrefix('user:');
      await far.set('set', 'new');
      await far.namespace('inner').clear();
      expect(await far.getMany(keys)).toEqual(
        new Map([
          ['set', 'new'],
          ['kept', 'old'],
        ]),
      );
      expect(await far.has('user:1')).toBe(false);
      // Nine calls that would each have waited; only whichever met the fault first did.
      expect(performance.now() - began).toBeLessThan(5_000);
      await awayFrom(apps[0]!);
      expect((await checkOf(apps[0]!)) as object).toMatchObject({
        degraded: expect.stringContaining('from memory') as unknown,
      });
      // What the healthy process invalidates meanwhile is heard of later, too.
      await well.delete('kept');

      await near.heal();
      // From the first moment on, the process that invalidated them never sees them again: it makes up for them before it reads.
      let back = false;
      const watching = joined(...apps).finally(() => (back = true));
      while (!back) {
        for (const key of ['deleted', 'tagged', 'user:1']) expect([key, await far.get(key)]).toEqual([key, undefined]);
        expect(await far.namespace('inner').get('cleared')).toBeUndefined();
        await sleep(1);
      }
      await watching;
      await eventually(async () => {
        const seen = await Promise.all([far, well].map(one => one.getMany(keys)));
        for (const values of seen) expect([...values.keys()].filter(key => key !== 'set')).toEqual([]);
        for (const one of [far, well]) expect(await one.namespace('inner').get('cleared')).toBeUndefined();
      });
      // They agree: the old values never come back, from memory nor from Redis.
      for (let at = 0; at < 20; at += 1) {
        for (const one of [far, well]) {
          expect((await one.getMany(keys)).get('set')).not.toBe('old');
          expect((await one.getMany(['deleted', 'tagged', 'user:1', 'kept'])).size).toBe(0);
        }
        await sleep(5);
      }
      await far.set('after', 1);
      expect(await well.get('after')).toBe(1);
    },
    40_000,
  );

  it('clears everything, for all, when the server knows less than it did', async () => {
    const keyPrefix = uniqueName('cache');
    await using one = await bootRedisCache({ url: near.url }, keyPrefix, quick);
    await using two = await bootRedisCache({ url: redis.url }, keyPrefix, quick);
    const [a, b] = [one, two].map(app => app.get(Cache)) as [Cache, Cache];
    const raw = new Redis(redis.url);
    try {
      await a.set('k', 'old');
      const names = [`{${keyPrefix}}:log`, `${keyPrefix}::k`];
      const before = await Promise.all(names.map(name => raw.dumpBuffer(name)));
      await a.set('told', 1);
      await a.delete('k');
      await b.set('told', 2);
      await eventually(async () => expect(await a.get('told')).toBe(2));
      await near.down();
      await awayFrom(one);
      for (const [at, name] of names.entries()) await raw.restore(name, 0, before[at]!, 'REPLACE');
      expect(await b.get('k')).toBe('old');
      await near.heal();
      await joined(one, two);
      expect(await a.get('k')).toBeUndefined();
      await eventually(async () => expect(await b.get('k')).toBeUndefined());
    } finally {
      raw.disconnect();
    }
  }, 30_000);

  it('makes up for more invalidations than it can note by clearing namespaces', async () => {
    const keyPrefix = uniqueName('cache');
    const small: CacheOptions = { redis: { commandTimeoutMs: 250, journalLength: 10 } };
    await using one = await bootRedisCache({ url: near.url }, keyPrefix, small);
    await using two = await bootRedisCache({ url: redis.url }, keyPrefix, small);
    const [a, b] = [one, two].map(app => app.get(Cache).namespace('many')) as [Cache, Cache];
    const keys = Array.from({ length: 40 }, (_, at) => `k${at}`);
    await a.setMany(keys.map(key => [key, 'old']));
    expect((await b.getMany(keys)).size).toBe(40);
    await near.down();
    await awayFrom(one);
    for (const key of keys.slice(0, 30)) await a.delete(key);
    expect(await checkOf(one)).toMatchObject({ owedInvalidations: 1 });
    await near.heal();
    await joined(one, two);
    await eventually(async () => expect((await b.getMany(keys)).size).toBe(0));
  }, 30_000);

  it('drops what it has in memory when the log does not go back to where it was', async () => {
    const keyPrefix = uniqueName('cache');
    const short: CacheOptions = { redis: { commandTimeoutMs: 250, logLength: 100 } };
    await using one = await bootRedisCache({ url: near.url }, keyPrefix, short);
    await using two = await bootRedisCache({ url: redis.url }, keyPrefix, short);
    const [a, b] = [one, two].map(app => app.get(Cache)) as [Cache, Cache];
    await a.set('k', 'old');
    expect(await b.get('k')).toBe('old');
    await near.down();
    await awayFrom(one);
    await b.delete('k');
    for (let at = 0; at < 600; at += 1) await b.set(`noise${at}`, at);
    expect(await a.get('k')).toBe('old');
    await near.heal();
    await joined(one, two);
    expect(await a.get('k')).toBeUndefined();
  }, 30_000);
});

describe('Redis that is killed and started', () => {
  const redis = useRedisServer();

  it('under load at 500 requests a second, no request fails', async () => {
    await using app = await bootRedisCache({ url: redis.url }, uniqueName('cache'), {
      ttlMs: 200,
      redis: { commandTimeoutMs: 250 },
    });
    const cache = app.get(Cache).namespace('orders');
    const errors: unknown[] = [];
    const took: number[] = [];
    const requests: Promise<void>[] = [];
    const request = async (at: number): Promise<void> => {
      const began = performance.now();
      try {
        const key = `k${at % 50}`;
        if (at % 20 === 0) await cache.delete(key);
        else if (at % 33 === 0) await cache.set(key, { at });
        else await cache.getOrSet(key, async () => (await sleep(2), { at }));
      } catch (error) {
        errors.push(error);
      }
      took.push(performance.now() - began);
    };
    let count = 0;
    const timer = setInterval(() => {
      for (let at = 0; at < 10; at += 1) requests.push(request((count += 1)));
    }, 20);
    await sleep(600);
    await redis.kill('SIGKILL');
    await awayFrom(app);
    await sleep(600);
    await redis.start();
    await joined(app);
    await redis.kill('SIGSTOP');
    await awayFrom(app);
    await redis.kill('SIGCONT');
    await joined(app);
    await sleep(300);
    clearInterval(timer);
    await Promise.all(requests);
    expect(errors).toEqual([]);
    expect(took.length).toBeGreaterThan(500);
    const sorted = took.toSorted((a, b) => a - b);
    const p99 = sorted[Math.floor(sorted.length * 0.99)]!;
    process.stdout.write(`cache, Redis killed under load: ${took.length} requests, p99 ${p99.toFixed(1)} ms\n`);
  }, 40_000);

  it('that hangs holds up nobody for longer than the first who noticed', async () => {
    await using app = await bootRedisCache({ url: redis.url }, uniqueName('cache'), {
      redis: { commandTimeoutMs: 3_000 },
    });
    const cache = app.get(Cache);
    await cache.set('a', 1);
    await redis.kill('SIGSTOP');
    try {
      const first = cache.get('not in memory');
      await sleep(1_500);
      const later = Array.from({ length: 5 }, (_, at) => cache.getOrSet(`k${at}`, () => at));
      // Timers of one process go off in their order, however late: this one is the time that they would have of their own.
      const theirTime = sleep(3_000).then(() => 'their own time was up');
      expect(await first).toBeUndefined();
      expect(await Promise.race([Promise.all(later), theirTime])).toEqual([0, 1, 2, 3, 4]);
    } finally {
      await redis.kill('SIGCONT');
    }
  }, 30_000);

  it('boots without it, and joins it when it is there', async () => {
    await redis.kill('SIGKILL');
    const keyPrefix = uniqueName('cache');
    await using app = await bootRedisCache({ url: redis.url }, keyPrefix, { ...quick, startup: 'background' });
    const cache = app.get(Cache);
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
    await cache.set('b', 2);
    expect(await cache.get('b')).toBe(2);
    await redis.start();
    await joined(app);
    await cache.set('c', 3);
    await using other = await bootRedisCache({ url: redis.url }, keyPrefix, quick);
    expect(await other.get(Cache).get('c')).toBe(3);
  }, 30_000);
});
