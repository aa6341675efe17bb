import { setTimeout as sleep } from 'node:timers/promises';
import { Clock } from '@core-infra/kernel';
import {
  type CacheOptions,
  InvalidCacheKeyError,
  InvalidCacheOptionError,
  UnserialisableValueError,
} from '../../src/index.js';
import { Cache } from '../../src/index.js';
import { eventually, type InfraApp, uniqueName } from '@core-infra/testing';

/** Boots an app with a cache; the options go on top of the driver's own. */
export type BootCache = (options?: CacheOptions) => Promise<InfraApp>;

/** A clock that a spec moves. */
export class HandClock extends Clock {
  constructor(private at = Date.now()) {
    super();
  }

  now(): number {
    return this.at;
  }

  monotonic(): number {
    return this.at;
  }

  advance(ms: number): void {
    this.at += ms;
  }
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** What every driver of the cache promises. */
export function cacheContract(name: string, boot: BootCache): void {
  describe(`cache on ${name}`, () => {
    let app: InfraApp;
    let cache: Cache;

    beforeAll(async () => {
      app = await boot({ ttlJitterRatio: 0 });
    });
    beforeEach(() => {
      cache = app.get(Cache).namespace(uniqueName('ns'));
    });
    afterAll(() => app.close());

    it('gives back what was set, null included, and undefined for what is not there', async () => {
      expect(await cache.get('a')).toBeUndefined();
      expect(await cache.has('a')).toBe(false);
      await cache.set('a', { id: 1, tags: ['x'] });
      await cache.set('nothing', null);
      expect(await cache.get('a')).toEqual({ id: 1, tags: ['x'] });
      expect(await cache.get('nothing')).toBeNull();
      expect(await cache.has('nothing')).toBe(true);
      for (const value of [0, '', false, 'text', 1.5]) {
        await cache.set('plain', value);
        expect(await cache.get('plain')).toBe(value);
      }
    });

    it('deletes one, several, and says whether there was one', async () => {
      await cache.setMany([
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ]);
      expect(await cache.delete('a')).toBe(true);
      expect(await cache.delete('a')).toBe(false);
      await cache.deleteMany(['b', 'z']);
      expect(await cache.getMany(['a', 'b', 'c'])).toEqual(new Map([['c', 3]]));
    });

    it('reads and writes many', async () => {
      const entries = Array.from({ length: 1_200 }, (_, at) => [`k${at}`, { at }] as const);
      await cache.setMany(entries);
      const found = await cache.getMany(entries.map(([key]) => key));
      expect(found.size).toBe(1_200);
      expect(found.get('k1199')).toEqual({ at: 1_199 });
      expect(await cache.getMany([])).toEqual(new Map());
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

    it('refuses what a load brings when the entry was invalidated meanwhile', async () => {
      const ways: ((within: Cache) => Promise<unknown>)[] = [
        within => within.delete('a'),
        within => within.deleteMany(['a']),
        within => within.clear(),
        within => within.clearPrefix('a'),
        within => within.deleteByTag('t'),
        within => within.set('a', 'newer', { tags: ['t'] }),
      ];
      for (const [at, invalidate] of ways.entries()) {
        const within = cache.namespace(`way${at}`);
        const source = deferred<string>();
        let begun = false;
        const load = within.getOrSet(
          'a',
          () => {
            begun = true;
            return source.promise;
          },
          { tags: ['t'] },
        );
        await eventually(() => expect(begun).toBe(true));
        await invalidate(within);
        source.resolve('older');
        expect(await load).toBe('older');
        expect([at, await within.get('a')]).toEqual([at, at === 5 ? 'newer' : undefined]);
      }
    });

    it('does not let who asks after an invalidation wait for a load from before it', async () => {
      const ways: ((within: Cache) => Promise<unknown>)[] = [
        within => within.delete('a'),
        within => within.clear(),
        within => within.deleteByTag('t'),
      ];
      for (const [at, invalidate] of ways.entries()) {
        const within = cache.namespace(`way${at}`);
        const source = deferred<string>();
        let begun = false;
        const before = within.getOrSet(
          'a',
          () => {
            begun = true;
            return source.promise;
          },
          { tags: ['t'] },
        );
        await eventually(() => expect(begun).toBe(true));
        await invalidate(within);
        const after = within.getOrSet('a', () => 'newer');
        source.resolve('older');
        expect([at, await before, await after, await within.get('a')]).toEqual([at, 'older', 'newer', 'newer']);
      }
    });

    it('deletes by tag, within the namespace alone', async () => {
      const other = cache.namespace('other');
      await cache.set('a', 1, { tags: ['red', 'round'] });
      await cache.set('b', 2, { tags: ['blue'] });
      await cache.set('c', 3);
      await other.set('a', 4, { tags: ['red'] });
      await cache.deleteByTag('red', 'green');
      expect(await cache.getMany(['a', 'b', 'c'])).toEqual(
        new Map([
          ['b', 2],
          ['c', 3],
        ]),
      );
      expect(await other.get('a')).toBe(4);
      await cache.set('a', 5, { tags: ['red'] });
      expect(await cache.get('a')).toBe(5);
    });

    it('clears a namespace and what is within it, and nothing else', async () => {
      const [orders, ordersOld] = [cache.namespace('orders'), cache.namespace('orders2')];
      const eu = orders.namespace('eu');
      for (const one of [cache, orders, ordersOld, eu]) await one.set('1', 'x');
      await orders.clear();
      expect(await Promise.all([cache, orders, ordersOld, eu].map(one => one.get('1')))).toEqual([
        'x',
        undefined,
        'x',
        undefined,
      ]);
      await eu.set('1', 'y');
      expect(await eu.get('1')).toBe('y');
    });

    it('keeps keys of namespaces apart whatever is in their names', async () => {
      await cache.namespace('a').namespace('b').set('c', 1);
      await cache.namespace('a/b').set('c', 2);
      await cache.namespace('a').set('b:c', 3);
      await cache.namespace('a%2f').set('b/c', 4);
      expect(await cache.namespace('a').namespace('b').get('c')).toBe(1);
      expect(await cache.namespace('a/b').get('c')).toBe(2);
      expect(await cache.namespace('a').get('b:c')).toBe(3);
      expect(await cache.namespace('a%2f').get('b/c')).toBe(4);
    });

    it('clears by any prefix, patterns taken literally', async () => {
      const keys = ['user:1', 'user:2', 'user', 'use*', 'user:[1]', `user:${'x'.repeat(10_000)}`];
      await cache.setMany(keys.map(key => [key, key]));
      const inner = cache.namespace('user');
      await inner.set('user:1', 'inner');
      await cache.clearPrefix('user:');
      expect([...(await cache.getMany(keys)).keys()]).toEqual(['user', 'use*']);
      await cache.clearPrefix('use*');
      expect([...(await cache.getMany(keys)).keys()]).toEqual(['user']);
      expect(await inner.get('user:1')).toBe('inner');
      await cache.set('user:1', 'again');
      expect(await cache.get('user:1')).toBe('again');
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

    it('takes any key that is text, and refuses what is none', async () => {
      const keys = [
        'new\nline',
        'nul\0',
        '\u001b[31m',
        'a b',
        'é',
        '😀',
        '\ud800',
        '\ud801',
        '{tag}',
        '}',
        ':',
        'x'.repeat(10_240),
      ];
      await cache.setMany(keys.map((key, at) => [key, at]));
      expect([...(await cache.getMany(keys)).values()]).toEqual(keys.map((_, at) => at));
      for (const wrong of ['', 7, null, undefined, {}] as string[]) {
        await expect(cache.get(wrong)).rejects.toThrow(InvalidCacheKeyError);
        await expect(cache.getOrSet(wrong, () => 1)).rejects.toThrow(InvalidCacheKeyError);
        expect(() => cache.namespace(wrong)).toThrow(InvalidCacheKeyError);
      }
    });

    it('refuses values that it cannot keep at set, and hands them out from a loader', async () => {
      const cycle: Record<string, unknown> = {};
      cycle['self'] = cycle;
      for (const wrong of [cycle, { big: 1n }, undefined, { at: Number.NaN }]) {
        const error: unknown = await cache.set('a', wrong).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(UnserialisableValueError);
        expect((error as Error).message).toContain('cache.codec.serialiser');
      }
      expect(await cache.getOrSet('b', () => cycle)).toBe(cycle);
      expect(await cache.get('b')).toBeUndefined();
    });

    it('names the option that is out of its range', async () => {
      await expect(cache.set('a', 1, { ttlMs: -1 })).rejects.toThrow(/^ttlMs is a duration/);
      await expect(cache.getOrSet('a', () => 1, { softTimeoutMs: Number.NaN })).rejects.toThrow(/^softTimeoutMs/);
      await expect(cache.set('a', 1, { graceMs: '5' as never })).rejects.toThrow(/^graceMs/);
      await expect(cache.set('a', 1, { tags: [''] })).rejects.toThrow(InvalidCacheOptionError);
      await expect(cache.deleteByTag('')).rejects.toThrow(InvalidCacheOptionError);
      expect(await cache.get('a')).toBeUndefined();
    });

    it('gives each caller a value of its own', async () => {
      const given = { lines: [1] };
      await cache.set('a', given);
      given.lines.push(2);
      const first = await cache.get<typeof given>('a');
      first!.lines.push(3);
      expect(await cache.get('a')).toEqual({ lines: [1] });
      const [one, two] = await Promise.all([
        cache.getOrSet('b', () => ({ lines: [1] })),
        cache.getOrSet('b', () => ({ lines: [1] })),
      ]);
      one.lines.push(2);
      expect(two).toEqual({ lines: [1] });
    });

    it('lets an entry end with its TTL', async () => {
      await cache.set('a', 1, { ttlMs: 30 });
      await cache.set('b', 2, { ttlMs: 'forever' });
      await cache.set('c', 3, { ttlMs: 0 });
      await eventually(async () => expect(await cache.get('a')).toBeUndefined());
      await sleep(1);
      expect(await cache.getMany(['a', 'b', 'c'])).toEqual(
        new Map([
          ['b', 2],
          ['c', 3],
        ]),
      );
    });
  });
}
