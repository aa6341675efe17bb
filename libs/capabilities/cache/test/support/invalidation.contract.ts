import { Cache } from '../../src/index.js';
import { eventually } from '@core-infra/testing';
import { deferred } from './deferred.js';

/** What invalidation covers, and what it does to loads that are under way. */
export function invalidationContract(cacheOf: () => Cache): void {
  let cache: Cache;
  beforeEach(() => {
    cache = cacheOf();
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
      const after = await within.getOrSet('a', () => 'newer', { tags: ['t'] });
      source.resolve('older');
      expect([at, after, await before, await within.get('a')]).toEqual([at, 'newer', 'older', 'newer']);
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
}
