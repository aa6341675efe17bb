import { Cache, InvalidCacheKeyError, InvalidCacheOptionError, UnserialisableValueError } from '../../src/index.js';

/** Keys, values and options that are none. */
export function badInputContract(cacheOf: () => Cache): void {
  let cache: Cache;
  beforeEach(() => {
    cache = cacheOf();
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

  it('hands out whatever a loader threw, be it no error', async () => {
    for (const thrown of ['text', undefined, null, 0, Object.freeze(new RangeError('frozen'))]) {
      const load = cache.getOrSet('a', () => {
        throw thrown;
      });
      await expect(load).rejects.toBe(thrown);
    }
  });

  it('does nothing with nothing', async () => {
    await cache.setMany([]);
    await cache.deleteMany([]);
    await cache.deleteByTag();
    expect(await cache.getMany([])).toEqual(new Map());
  });

  it('names the option that is out of its range', async () => {
    await expect(cache.set('a', 1, { ttlMs: -1 })).rejects.toThrow(/^ttlMs is a duration/);
    await expect(cache.getOrSet('a', () => 1, { softTimeoutMs: Number.NaN })).rejects.toThrow(/^softTimeoutMs/);
    await expect(cache.set('a', 1, { graceMs: '5' as never })).rejects.toThrow(/^graceMs/);
    await expect(cache.set('a', 1, { tags: [''] })).rejects.toThrow(InvalidCacheOptionError);
    await expect(cache.deleteByTag('')).rejects.toThrow(InvalidCacheOptionError);
    for (const tags of ['text', null, [7]] as never[])
      await expect(cache.set('a', 1, { tags })).rejects.toThrow(/^tags is a list of text/);
    await expect(cache.set('a', 1, null as never)).rejects.toThrow(/^options is an object/);
    await expect(cache.getOrSet('a', undefined as never)).rejects.toThrow(/^load is a function/);
    expect(await cache.get('a')).toBeUndefined();
  });
}
