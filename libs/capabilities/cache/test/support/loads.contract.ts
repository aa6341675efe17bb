import { Cache } from '../../src/index.js';
import { eventually } from '@core-infra/testing';
import { deferred } from './deferred.js';

/** What loads promise. */
export function loadsContract(cacheOf: () => Cache): void {
  let cache: Cache;
  beforeEach(() => {
    cache = cacheOf();
  });

  it('loads once for all who ask at the same time', async () => {
    const source = deferred<string>();
    let loads = 0;
    const load = () => {
      loads += 1;
      return source.promise;
    };
    const all = Array.from({ length: 500 }, () => cache.getOrSet('a', load));
    await eventually(() => expect(loads).toBe(1));
    source.resolve('loaded');
    expect(new Set(await Promise.all(all))).toEqual(new Set(['loaded']));
    expect(await cache.getOrSet('a', load)).toBe('loaded');
    expect(loads).toBe(1);
  });

  it('hands the error of a loader to all who wait, as it was thrown, and asks again next time', async () => {
    const broken = new RangeError('source is down');
    let loads = 0;
    const load = () => {
      loads += 1;
      throw broken;
    };
    const answers = await Promise.allSettled([cache.getOrSet('a', load), cache.getOrSet('a', load)]);
    expect(answers.map(answer => (answer as PromiseRejectedResult).reason)).toEqual([broken, broken]);
    expect(loads).toBe(1);
    expect(await cache.getOrSet('a', () => 'better')).toBe('better');
  });

  it('remembers for a while that there is nothing, or not at all', async () => {
    let loads = 0;
    const load = () => {
      loads += 1;
      return null;
    };
    expect(await cache.getOrSet('a', load, { negativeTtlMs: 60_000 })).toBeNull();
    expect(await cache.getOrSet('a', load)).toBeNull();
    expect(loads).toBe(1);
    await cache.getOrSet('b', load, { negativeTtlMs: 0 });
    await cache.getOrSet('b', load, { negativeTtlMs: 0 });
    expect(loads).toBe(3);
    expect(await cache.getOrSet('u', () => undefined, { negativeTtlMs: 60_000 })).toBeUndefined();
    expect(await cache.getOrSet('u', () => 'found', { negativeTtlMs: 60_000 })).toBeUndefined();
  });

  it('lets a loader say what its entry is told, and keep it out', async () => {
    await cache.getOrSet('a', context => {
      context.options({ tags: ['late'] });
      return 1;
    });
    await cache.deleteByTag('late');
    expect(await cache.get('a')).toBeUndefined();
    expect(
      await cache.getOrSet('b', context => {
        context.skip();
        return 'once';
      }),
    ).toBe('once');
    expect(await cache.get('b')).toBeUndefined();
  });

  it('serves the stale value when the loader fails, and the error when there is none', async () => {
    await cache.set('a', 'old', { ttlMs: 1, graceMs: 60_000 });
    await eventually(async () => expect(await cache.has('a')).toBe(false));
    const load = () => Promise.reject(new Error('down'));
    expect(await cache.getOrSet('a', load, { graceMs: 60_000 })).toBe('old');
    await expect(cache.getOrSet('b', load, { graceMs: 60_000 })).rejects.toThrow('down');
  });

  it('serves the stale value after the soft time-out and goes on loading', async () => {
    await cache.set('a', 'old', { ttlMs: 1, graceMs: 60_000 });
    await eventually(async () => expect(await cache.has('a')).toBe(false));
    const source = deferred<string>();
    const stale: unknown[] = [];
    const answer = await cache.getOrSet(
      'a',
      context => {
        stale.push(context.stale);
        return source.promise;
      },
      { softTimeoutMs: 20, graceMs: 60_000 },
    );
    expect(answer).toBe('old');
    expect(stale).toEqual(['old']);
    source.resolve('new');
    await eventually(async () => expect(await cache.get('a')).toBe('new'));
  });

  it('gives a load up at the hard time-out, tells it so, and does not keep what comes later', async () => {
    const source = deferred<string>();
    let aborted = false;
    const load = cache.getOrSet(
      'a',
      ({ signal }) => {
        signal.addEventListener('abort', () => (aborted = true));
        return source.promise;
      },
      { hardTimeoutMs: 30 },
    );
    await expect(load).rejects.toMatchObject({ code: 'INFRA_CACHE_LOAD_TIMEOUT', hardTimeoutMs: 30 });
    expect(aborted).toBe(true);
    source.resolve('late');
    expect(await cache.getOrSet('a', () => 'next')).toBe('next');
    expect(await cache.get('a')).toBe('next');
  });

  it('gives a typed loader with write-through', async () => {
    const source = new Map([['1', { id: '1', total: 10 }]]);
    let loads = 0;
    const orders = cache.define('order', {
      key: (id: string) => id,
      load: (id: string) => {
        loads += 1;
        return source.get(id) ?? null;
      },
      save: (order, id) => {
        if (order && order.total < 0) throw new RangeError('negative');
        if (order) source.set(id, order);
      },
      ttlMs: 60_000,
    });
    expect(await orders.get('1')).toEqual({ id: '1', total: 10 });
    await orders.get('1');
    expect(loads).toBe(1);
    source.set('1', { id: '1', total: 11 });
    expect(await orders.refresh('1')).toEqual({ id: '1', total: 11 });
    expect(await orders.get('1')).toEqual({ id: '1', total: 11 });
    await orders.set({ id: '1', total: 12 }, '1');
    expect(source.get('1')).toEqual({ id: '1', total: 12 });
    expect(await orders.get('1')).toEqual({ id: '1', total: 12 });
    expect(loads).toBe(2);
    await expect(orders.set({ id: '1', total: -1 }, '1')).rejects.toThrow('negative');
    expect(await orders.get('1')).toEqual({ id: '1', total: 12 });
    expect(loads).toBe(3);
    await orders.delete('1');
    await orders.get('1');
    await orders.clear();
    await orders.get('1');
    expect(loads).toBe(5);
  });

  it('asks again, and lets nobody wait, when a loader never ends', async () => {
    const hung = cache.getOrSet('a', () => new Promise<string>(() => undefined), { hardTimeoutMs: 50 });
    await expect(hung).rejects.toMatchObject({ code: 'INFRA_CACHE_LOAD_TIMEOUT' });
    expect(await cache.getOrSet('a', () => 'next', { hardTimeoutMs: 1_500 })).toBe('next');
    expect(await cache.get('a')).toBe('next');
  });

  it('refuses a loader that asks for what it loads, be it through another one', async () => {
    const itself = (): Promise<unknown> => cache.getOrSet('a', itself);
    await expect(cache.getOrSet('a', itself)).rejects.toMatchObject({ code: 'INFRA_CACHE_LOAD_CYCLE' });
    const one = (): Promise<unknown> => cache.getOrSet('b', two);
    const two = (): Promise<unknown> => cache.getOrSet('c', one);
    await expect(cache.getOrSet('b', two)).rejects.toMatchObject({ code: 'INFRA_CACHE_LOAD_CYCLE' });
    const begun = deferred<void>();
    const x = cache.getOrSet('x', async () => (await begun.promise, cache.getOrSet('y', () => 1)));
    const y = cache.getOrSet('y', () => (begun.resolve(), cache.getOrSet('x', () => 1)));
    for (const { reason } of (await Promise.allSettled([x, y])) as PromiseRejectedResult[])
      expect(reason).toMatchObject({ code: 'INFRA_CACHE_LOAD_CYCLE' });
    const again = (): Promise<unknown> => cache.delete('z').then(() => cache.getOrSet('z', again));
    await expect(cache.getOrSet('z', again)).rejects.toMatchObject({ code: 'INFRA_CACHE_LOAD_CYCLE' });
    // Others may ask for each other's entries, in any number.
    expect(await cache.getOrSet('d', () => cache.getOrSet('e', () => cache.getOrSet('f', () => 1)))).toBe(1);
    const both = await Promise.all([
      cache.getOrSet('g', () => cache.getOrSet('h', () => 2)),
      cache.getOrSet('h', () => 2),
    ]);
    expect(both).toEqual([2, 2]);
  });

  it('leaves no rejection unhandled when a load fails after its stale value was served', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      await cache.set('a', 'old', { ttlMs: 1, graceMs: 60_000 });
      await eventually(async () => expect(await cache.has('a')).toBe(false));
      const source = deferred<string>();
      let ended = false;
      const load = () => source.promise.finally(() => (ended = true));
      expect(await cache.getOrSet('a', load, { softTimeoutMs: 5, graceMs: 60_000 })).toBe('old');
      source.reject(new Error('down'));
      await eventually(() => expect(ended).toBe(true));
      expect(await cache.getOrSet('a', () => 'old', { graceMs: 60_000 })).toBe('old');
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(unhandled).toEqual([]);
  });
}
