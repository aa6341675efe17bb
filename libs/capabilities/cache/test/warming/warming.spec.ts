import { bootHttp, bootInfra, eventually, type Importable, uniqueName, useRedis } from '@core-infra/testing';
import { Injectable, Logger, Module, type Provider } from '@nestjs/common';
import {
  Cache,
  CacheWarmer,
  type CacheWarming,
  CacheWarmingModule,
  DuplicateWarmerError,
  InvalidCacheOptionError,
} from '../../src/index.js';
import { caches } from '../support/caches.js';

/** A promise, and who settles it. */
function gate() {
  let open!: () => void;
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { opened, open };
}

function provided(...providers: Provider[]): Importable {
  @Module({ providers })
  class WarmersModule {}
  return WarmersModule;
}

function logLines(level: 'log' | 'warn'): { lines: string[]; fields: object[] } {
  const seen = { lines: [] as string[], fields: [] as object[] };
  jest.spyOn(Logger.prototype, level).mockImplementation((message: unknown, ...[fields]: unknown[]) => {
    seen.lines.push(String(message));
    seen.fields.push(fields as object);
  });
  return seen;
}

afterEach(() => jest.restoreAllMocks());

const redis = useRedis();

describe.each(caches)('warming, cache driver %s', (_, modules) => {
  const boot = (warmers: Provider[], options = {}, keyPrefix?: string) =>
    bootInfra(...modules(redis.url, keyPrefix), CacheWarmingModule.forRoot(options), provided(...warmers));

  it('runs what a warmer yields, so many at a time, and says so', async () => {
    const { lines } = logLines('log');
    let running = 0;
    let most = 0;
    @Injectable()
    @CacheWarmer('catalogue', { concurrency: 3 })
    class Catalogue implements CacheWarming {
      async *warm(cache: Cache) {
        await Promise.resolve();
        for (let id = 0; id < 20; id += 1)
          yield async () => {
            most = Math.max(most, (running += 1));
            await cache.set(`item-${id}`, id);
            await new Promise(setImmediate);
            running -= 1;
          };
      }
    }
    await using app = await boot([Catalogue], { beforeReady: true });
    expect(await app.get(Cache).get('item-19')).toBe(19);
    expect(most).toBe(3);
    expect(lines.filter(line => line.startsWith('catalogue'))).toEqual([
      'catalogue: warming the cache',
      expect.stringMatching(/^catalogue: warmed the cache in \d+ ms, 20 loads$/),
    ]);
  });

  it('does not hold up the boot unless it is told to', async () => {
    const { opened, open } = gate();
    @Injectable()
    @CacheWarmer('slow')
    class Slow implements CacheWarming {
      async warm(cache: Cache) {
        await opened;
        await cache.set('warmed', true);
      }
    }
    await using app = await boot([Slow]);
    expect(await app.get(Cache).get('warmed')).toBeUndefined();
    open();
    await eventually(async () => expect(await app.get(Cache).get('warmed')).toBe(true));

    const second = gate();
    @Injectable()
    @CacheWarmer('asked')
    class Asked implements CacheWarming {
      async warm() {
        await second.opened;
      }
    }
    let booted = false;
    const booting = boot([Asked], { beforeReady: true }).then(async waited => {
      booted = true;
      await waited.close();
    });
    await new Promise(setImmediate);
    expect(booted).toBe(false);
    second.open();
    await booting;
  });

  it('goes on with the others, and boots, when a warmer fails; and with the other loads when one does', async () => {
    const { lines, fields } = logLines('warn');
    @Injectable()
    @CacheWarmer('broken')
    class Broken implements CacheWarming {
      warm(): Promise<void> {
        throw new RangeError('no such table');
      }
    }
    @Injectable()
    @CacheWarmer('half')
    class Half implements CacheWarming {
      *warm(cache: Cache) {
        yield () => {
          throw new RangeError('first');
        };
        yield () => cache.set('second', 2);
      }
    }
    await using app = await boot([Broken, Half], { beforeReady: true });
    expect(await app.get(Cache).get('second')).toBe(2);
    expect(lines).toContainEqual(expect.stringMatching(/^broken: warming failed after \d+ ms: no such table$/));
    const half = lines.findIndex(line => line.startsWith('half'));
    expect(lines[half]).toMatch(/1 of 2 loads failed$/);
    expect(fields[half]).toMatchObject({ warmer: 'half', done: 1, failed: 1, err: new RangeError('first') });
  });

  it('is told to stop at the shutdown, and after its time', async () => {
    const { lines } = logLines('warn');
    let seen: AbortSignal | undefined;
    @Injectable()
    @CacheWarmer('endless')
    class Endless implements CacheWarming {
      async *warm(_cache: Cache, signal: AbortSignal) {
        seen = signal;
        for (;;) yield await Promise.resolve(() => new Promise(setImmediate));
      }
    }
    const app = await boot([Endless]);
    await eventually(() => expect(seen?.aborted).toBe(false));
    await app.close();
    expect(seen?.aborted).toBe(true);
    expect(lines).toContainEqual(expect.stringMatching(/^endless: warming stopped after \d+ ms: the app shuts down$/));

    @Injectable()
    @CacheWarmer('deaf')
    class Deaf implements CacheWarming {
      warm(): Promise<void> {
        return new Promise(() => undefined);
      }
    }
    await using second = await boot([Deaf], { beforeReady: true, timeoutMs: 20 });
    expect(second.get(Cache)).toBeInstanceOf(Cache);
    expect(lines).toContainEqual(expect.stringMatching(/^deaf: warming (stopped|failed) after \d+ ms: .*20 ms/));
  });

  it('runs again in each process where that is asked for, and not at all when it is off', async () => {
    let runs = 0;
    @Injectable()
    @CacheWarmer('each', { onceEveryMs: 0 })
    class Each implements CacheWarming {
      async warm() {
        runs += 1;
        return Promise.resolve();
      }
    }
    const keyPrefix = uniqueName('cache');
    for (const _process of [1, 2]) {
      await using app = await boot([Each], { beforeReady: true }, keyPrefix);
      expect(app.get(Cache)).toBeInstanceOf(Cache);
    }
    expect(runs).toBe(2);
    await using off = await boot([Each], { beforeReady: true, enabled: false }, keyPrefix);
    expect(off.get(Cache)).toBeInstanceOf(Cache);
    expect(runs).toBe(2);
  });
});

describe('what cannot work', () => {
  it('refuses two warmers of one name', async () => {
    @Injectable()
    @CacheWarmer('twice')
    class First implements CacheWarming {
      warm = async () => Promise.resolve();
    }
    @Injectable()
    @CacheWarmer('twice')
    class Second implements CacheWarming {
      warm = async () => Promise.resolve();
    }
    const booted = bootInfra(...caches[0]![1](''), CacheWarmingModule.forRoot(), provided(First, Second));
    await expect(booted).rejects.toBeInstanceOf(DuplicateWarmerError);
  });
});

describe('what is no number of loads or milliseconds', () => {
  it.each<[string, object]>([
    ['concurrency', { concurrency: 0 }],
    ['concurrency', { concurrency: NaN }],
    ['concurrency', { concurrency: Infinity }],
    ['onceEveryMs', { onceEveryMs: -1 }],
    ['onceEveryMs', { onceEveryMs: NaN }],
  ])('is refused at once, by its name: %s in %j', (field, options) => {
    expect(() => CacheWarmer('catalogue', options)).toThrow(InvalidCacheOptionError);
    expect(() => CacheWarmer('catalogue', options)).toThrow(new RegExp(`^${field} is `));
  });
});

describe('several processes over one Redis', () => {
  it('have one of them warm it, and the others wait for that', async () => {
    let runs = 0;
    const { opened, open } = gate();
    @Injectable()
    @CacheWarmer('shared')
    class Shared implements CacheWarming {
      async *warm(cache: Cache) {
        runs += 1;
        await opened;
        yield () => cache.set('warmed', true);
      }
    }
    const keyPrefix = uniqueName('cache');
    const boot = () =>
      bootHttp('fastify', [
        ...caches[1]![1](redis.url, keyPrefix),
        CacheWarmingModule.forRoot({ beforeReady: true }),
        provided(Shared),
      ]);
    const booting = [boot(), boot(), boot()];
    await eventually(() => expect(runs).toBe(1));
    open();
    const apps = await Promise.all(booting);
    expect(runs).toBe(1);
    for (const app of apps) expect(await app.get(Cache).get('warmed')).toBe(true);
    const late = await boot();
    expect(runs).toBe(1);
    await Promise.all([late, ...apps].map(app => app.close()));
  });
});
