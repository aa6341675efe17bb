import { setTimeout as sleep } from 'node:timers/promises';
import { Cache } from '../../src/index.js';
import { eventually } from '@core-infra/testing';

/** What is set and read, and how long it lasts. */
export function entriesContract(cacheOf: () => Cache): void {
  let cache: Cache;
  beforeEach(() => {
    cache = cacheOf();
  });

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
}
