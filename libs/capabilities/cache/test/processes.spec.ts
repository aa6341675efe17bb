import { join } from 'node:path';
import { Redis } from '@core-infra/redis';
import { eventually, type InfraApp, runChild, uniqueName, useRedis } from '@core-infra/testing';
import { Cache, type CacheEvent, cacheEvents, type CacheOptions } from '../src/index.js';
import { bootRedisCache } from './support/boot-cache.js';
import { deferred } from './support/deferred.js';

const redis = useRedis();
const reader = join(__dirname, 'fixtures/cold-reader.ts');

describe('several processes over one Redis', () => {
  let keyPrefix: string;
  let apps: InfraApp[];
  let raw: Redis;
  const boot = async (options: CacheOptions['redis'] = {}) => {
    const app = await bootRedisCache({ url: redis.url }, keyPrefix, {
      redis: { leaseMs: 400, pollMs: 50, ...options },
    });
    apps.push(app);
    return app.get(Cache).namespace('orders');
  };

  beforeEach(() => {
    keyPrefix = uniqueName('cache');
    apps = [];
    raw = new Redis(redis.url);
  });
  afterEach(async () => {
    raw.disconnect();
    await Promise.all(apps.map(app => app.close()));
  });

  it('load once for 10,000 cold reads at the same time', async () => {
    const counter = uniqueName('loads');
    const children = Array.from({ length: 4 }, () =>
      runChild(reader, { args: [redis.url, keyPrefix, counter, '2500'] }),
    );
    await Promise.all(children.map(child => child.waitForLine(/^ready$/)));
    for (const child of children) child.kill('SIGUSR2');
    await Promise.all(children.map(child => child.waitForLine(/^values 1 of 2500$/)));
    expect(await raw.get(counter)).toBe('1');
    for (const child of children) child.kill('SIGTERM');
    const exits = await Promise.all(children.map(child => child.exit));
    expect(exits.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  }, 60_000);

  it('hear of each other what was set, deleted and cleared', async () => {
    const [one, two] = [await boot(), await boot()];
    const both = (key: string) => Promise.all([one.get(key), two.get(key)]);
    const changes: [change: () => Promise<unknown>, then: unknown][] = [
      [() => one.set('a', 1, { tags: ['t'] }), 1],
      [() => two.set('a', 2, { tags: ['t'] }), 2],
      [() => one.delete('a'), undefined],
      [() => two.set('a', 3, { tags: ['t'] }), 3],
      [() => two.deleteByTag('t'), undefined],
      [() => one.set('a', 4), 4],
      [() => two.clear(), undefined],
      [() => two.set('a', 5), 5],
      [() => one.clearPrefix('a'), undefined],
      [() => one.setMany([['a', 6]]), 6],
      [() => two.deleteMany(['a']), undefined],
    ];
    for (const [change, then] of changes) {
      await change();
      await eventually(async () => expect(await both('a')).toEqual([then, then]));
    }
  });

  it('knows what was invalidated before it was there, tags and prefixes included', async () => {
    const one = await boot();
    await one.setMany(['a', 'b', 'c'].map(key => [key, key]));
    await one.set('t', 't', { tags: ['x'] });
    await one.clearPrefix('b');
    await one.deleteByTag('x');
    await one.namespace('inner').set('a', 'a');
    const two = await boot();
    expect(await two.getMany(['a', 'b', 'c', 't'])).toEqual(
      new Map([
        ['a', 'a'],
        ['c', 'c'],
      ]),
    );
    await two.clear();
    const three = await boot();
    expect(await three.getMany(['a', 'b', 'c', 't'])).toEqual(new Map());
    expect(await three.namespace('inner').get('a')).toBeUndefined();
  });

  it('counts a namespace as cleared when Redis has lost its marks', async () => {
    const one = await boot();
    await one.set('a', 'old');
    await raw.del(`{${keyPrefix}}:in:orders`);
    const two = await boot();
    expect(await two.get('a')).toBeUndefined();
    await eventually(async () => expect(await one.get('a')).toBeUndefined());
    await one.set('a', 'new');
    expect(await two.get('a')).toBe('new');
  });

  it('wait for the one that loads, and take over when it fails or dies', async () => {
    const [one, two] = [await boot(), await boot()];
    const source = deferred<string>();
    const first = one.getOrSet('a', () => source.promise, { hardTimeoutMs: 0 });
    await eventually(async () => expect(await raw.exists(`${keyPrefix}:orders:a`)).toBe(1));
    let loads = 0;
    const second = two.getOrSet('a', () => {
      loads += 1;
      return 'second';
    });
    // The lease of 400 ms is renewed for as long as the load runs: the other process sees it end only when the load does.
    const seen = await Promise.race([second, new Promise(done => setTimeout(done, 1_000, 'still waiting'))]);
    expect([seen, loads]).toEqual(['still waiting', 0]);
    source.reject(new Error('source is down'));
    await expect(first).rejects.toThrow('source is down');
    expect(await second).toBe('second');

    const dead = await raw.set(
      `${keyPrefix}:orders:b`,
      `C1- ${'z'.repeat(16)}${'9'.repeat(14)}${'-'.repeat(16)}`,
      'PX',
      400,
    );
    expect(dead).toBe('OK');
    expect(await two.getOrSet('b', () => 'taken over')).toBe('taken over');
    expect(await one.get('b')).toBe('taken over');
  });

  it('do not load any more once they have given up waiting', async () => {
    const one = await boot();
    const lease = `C1- ${'z'.repeat(16)}${'9'.repeat(14)}${'-'.repeat(16)}`;
    await raw.set(`${keyPrefix}:orders:a`, lease, 'PX', 600);
    let loads = 0;
    const load = () => (loads += 1);
    await expect(one.getOrSet('a', load, { hardTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'INFRA_CACHE_LOAD_TIMEOUT',
    });
    // The lease ends, and the next who asks is the first to load.
    expect(await one.getOrSet('a', load)).toBe(1);
    expect(loads).toBe(1);
  });

  it('are told when the value that they wait for is there', async () => {
    const slow = { leaseMs: 10_000, pollMs: 10_000 };
    const [one, two] = [await boot(slow), await boot(slow)];
    const source = deferred<string>();
    const first = one.getOrSet('a', () => source.promise);
    await eventually(async () => expect(await raw.exists(`${keyPrefix}:orders:a`)).toBe(1));
    const second = two.getOrSet('a', () => 'second');
    const waiting = await Promise.race([second, new Promise(done => setTimeout(done, 300, 'waiting'))]);
    const began = performance.now();
    source.resolve('first');
    expect([waiting, await first, await second]).toEqual(['waiting', 'first', 'first']);
    // Its own next look would have been in ten seconds.
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  it('refuse what a load brings when another process invalidated it', async () => {
    const [one, two] = [await boot(), await boot()];
    const ways: (() => Promise<unknown>)[] = [
      () => two.delete('0'),
      () => two.clear(),
      () => two.clearPrefix('2'),
      () => two.deleteByTag('t'),
    ];
    for (const [at, invalidate] of ways.entries()) {
      const source = deferred<string>();
      let begun = false;
      const load = one.getOrSet(
        String(at),
        () => {
          begun = true;
          return source.promise;
        },
        { tags: ['t'] },
      );
      await eventually(() => expect(begun).toBe(true));
      await invalidate();
      source.resolve('older');
      expect(await load).toBe('older');
      await eventually(async () =>
        expect(await Promise.all([one.get(String(at)), two.get(String(at))])).toEqual([undefined, undefined]),
      );
    }
  });

  it('tell what happened on the channel, and count it', async () => {
    const heard: CacheEvent[] = [];
    const listen = (event: unknown) => void heard.push(event as CacheEvent);
    const [one, two] = [await boot(), await boot()];
    cacheEvents.subscribe(listen);
    try {
      await one.getOrSet('a', () => 'value');
      await one.get('a');
      await two.get('a');
      await one.delete('a');
    } finally {
      cacheEvents.unsubscribe(listen);
    }
    const kinds = heard.map(({ kind, tier }) => (tier ? `${kind} ${tier}` : kind));
    expect(kinds).toEqual(['miss', 'load', 'hit l1', 'hit l2', 'invalidation']);
    expect(heard.every(({ connection }) => connection === 'cache')).toBe(true);
    expect(heard.filter(({ kind }) => kind === 'hit').every(({ durationMs }) => durationMs! >= 0)).toBe(true);
    expect(JSON.stringify(heard)).not.toContain('orders');
  });
});
