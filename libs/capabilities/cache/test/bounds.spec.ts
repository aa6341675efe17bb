import { Connections, operations, type Operation } from '@core-infra/kernel';
import { bootInfra, type InfraApp } from '@core-infra/testing';
import { Cache, type CacheEvent, cacheEvents, CacheModule, type CacheOptions, getCacheToken } from '../src/index.js';

const boot = (options: CacheOptions = {}) => bootInfra(CacheModule.forRoot({ ttlJitterRatio: 0, ...options }));
const statsOf = async (app: InfraApp) =>
  (await app
    .get(Connections)
    .checks()
    .find(({ name }) => name === 'cache')!
    .run()) as Record<string, number>;

describe('memory', () => {
  it('is bounded by entries, the least recently used going first', async () => {
    await using app = await boot({ memory: { maxEntries: 3 } });
    const cache = app.get(Cache);
    await cache.setMany(['a', 'b', 'c'].map(key => [key, key]));
    await cache.get('a');
    await cache.set('d', 'd');
    expect([...(await cache.getMany(['a', 'b', 'c', 'd'])).keys()]).toEqual(['a', 'c', 'd']);
    expect(await statsOf(app)).toMatchObject({ entries: 3, evictions: 1 });
  });

  it('is bounded by bytes, of keys and of values, text and objects alike', async () => {
    await using app = await boot({ memory: { maxBytes: 100_000 } });
    const cache = app.get(Cache);
    for (let at = 0; at < 100; at += 1) {
      await cache.set(`text${at}`, 'x'.repeat(2_000));
      await cache.set(`object${at}`, { text: 'x'.repeat(2_000) });
      await cache.set(`${'k'.repeat(1_000)}${at}`, at);
    }
    const { bytes, entries } = await statsOf(app);
    expect(bytes).toBeLessThanOrEqual(100_000);
    expect(entries).toBeGreaterThan(20);
    expect(entries).toBeLessThan(60);
    await cache.set('larger than all', 'x'.repeat(200_000));
    expect(await cache.get('larger than all')).toBeUndefined();
    expect(await cache.get('object99')).toEqual({ text: 'x'.repeat(2_000) });
  });

  it('stays right when it has forgotten single marks', async () => {
    await using app = await boot();
    const cache = app.get(Cache);
    let release!: () => void;
    const held = new Promise<void>(done => (release = done));
    const load = cache.getOrSet('a', async () => (await held, 'old'), { tags: ['mine'] });
    await new Promise(done => setImmediate(done));
    await cache.delete('a');
    await cache.deleteByTag('mine');
    // So many more that the process has forgotten those two.
    for (let at = 0; at < 12_000; at += 1) await cache.delete(`other${at}`);
    await cache.deleteByTag(...Array.from({ length: 12_000 }, (_, at) => `other${at}`));
    await cache.set('b', 1, { tags: ['mine'] });
    release();
    expect(await load).toBe('old');
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.get('b')).toBe(1);
    for (let at = 0; at < 600; at += 1) await cache.clearPrefix(`none${at}`);
    await cache.set('c', 1);
    expect(await cache.get('c')).toBe(1);
  });
});

describe('options', () => {
  it('shared values are the object itself', async () => {
    await using app = await boot({ memory: { values: 'shared' } });
    const cache = app.get(Cache);
    const order = { lines: [1] };
    await cache.set('a', order);
    expect(await cache.get('a')).toBe(order);
    expect(await cache.getOrSet('b', () => order)).toBe(order);
  });

  it('jitter lets entries of one moment end at different times, and none later than its TTL', async () => {
    await using app = await boot({ ttlJitterRatio: 1, ttlMs: 60_000 });
    const cache = app.get(Cache);
    const keys = Array.from({ length: 200 }, (_, at) => `k${at}`);
    const past = Date.now() + 30_000;
    await cache.setMany(keys.map(key => [key, 1]));
    const now = jest.spyOn(Date, 'now').mockReturnValue(past);
    const left = (await cache.getMany(keys)).size;
    now.mockReturnValue(past + 31_000);
    const atEnd = (await cache.getMany(keys)).size;
    now.mockRestore();
    expect(left).toBeGreaterThan(50);
    expect(left).toBeLessThan(150);
    expect(atEnd).toBe(0);
  });

  it('a failed load is not tried again within the back-off', async () => {
    await using app = await boot({ graceBackoffMs: 5_000, graceMs: 60_000 });
    const cache = app.get(Cache);
    const start = Date.now();
    const now = jest.spyOn(Date, 'now').mockReturnValue(start);
    let loads = 0;
    const load = () => {
      loads += 1;
      throw new Error('down');
    };
    try {
      await cache.set('a', 'old', { ttlMs: 10 });
      now.mockReturnValue(start + 20_000);
      expect([await cache.getOrSet('a', load), await cache.getOrSet('a', load), loads]).toEqual(['old', 'old', 1]);
      now.mockReturnValue(start + 25_001);
      expect([await cache.getOrSet('a', load), loads]).toEqual(['old', 2]);
      now.mockReturnValue(start + 60_011);
      await expect(cache.getOrSet('a', load)).rejects.toThrow('down');
    } finally {
      now.mockRestore();
    }
  });

  it('are checked at boot', async () => {
    await expect(boot({ ttlMs: -1 })).rejects.toThrow(/cache\.ttlMs/);
    await expect(boot({ redis: { keyPrefix: 'a{b}' } })).rejects.toThrow(/cache\.redis\.keyPrefix/);
    await expect(boot({ driver: 'redis' })).rejects.toMatchObject({ code: 'INFRA_MISSING_UPSTREAM' });
  });

  it('named caches have nothing in common', async () => {
    await using app = await bootInfra(CacheModule.forRoot(), CacheModule.forRoot({ name: 'other' }));
    const [one, other] = [app.get(Cache), app.get<Cache>(getCacheToken('other'))];
    await one.set('a', 1);
    expect(await other.get('a')).toBeUndefined();
  });
});

describe('telemetry', () => {
  it('counts, and says stale serves and evictions', async () => {
    await using app = await boot({ memory: { maxEntries: 1 }, graceMs: 60_000 });
    const cache = app.get(Cache);
    const kinds: string[] = [];
    const listen = (event: unknown) => void kinds.push((event as CacheEvent).kind);
    cacheEvents.subscribe(listen);
    try {
      await cache.getOrSet('a', () => 1);
      await cache.set('b', 2, { ttlMs: 1 });
      while (await cache.has('b')) await new Promise(done => setImmediate(done));
      await cache.getOrSet('b', () => Promise.reject(new Error('down')));
    } finally {
      cacheEvents.unsubscribe(listen);
    }
    expect(kinds.filter(kind => kind !== 'hit')).toEqual(['miss', 'load', 'eviction', 'miss', 'load-failed', 'stale']);
    expect(await statsOf(app)).toMatchObject({ misses: 2, loads: 1, failedLoads: 1, stale: 1, evictions: 1 });
  });

  it('traces calls that memory did not answer, without their keys', async () => {
    await using app = await boot();
    const cache = app.get(Cache);
    const calls: Operation[] = [];
    const subscriber = { start: (call: unknown) => void calls.push({ ...(call as Operation) }) };
    const channel = operations('cache');
    channel.subscribe(subscriber as never);
    try {
      await cache.getOrSet('secret', () => 1);
      await cache.getOrSet('secret', () => 1);
      await cache.get('other secret');
    } finally {
      channel.unsubscribe(subscriber as never);
    }
    expect(calls).toEqual([
      { component: 'cache', connection: 'cache', operation: 'getOrSet' },
      { component: 'cache', connection: 'cache', operation: 'get' },
    ]);
  });
});
