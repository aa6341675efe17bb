import { operations, type Operation } from '@core-infra/kernel';
import { Redis } from '@core-infra/redis';
import { eventually, type InfraApp, uniqueName, useRedis } from '@core-infra/testing';
import { Cache } from '../src/index.js';
import { bootRedisCache } from './support/boot-cache.js';

const redis = useRedis();
const DAY_MS = 86_400_000;

describe('what the cache costs Redis', () => {
  let keyPrefix: string;
  let raw: Redis;
  beforeEach(() => {
    keyPrefix = uniqueName('cache');
    raw = new Redis(redis.url);
  });
  afterEach(() => raw.disconnect());

  const boot = (): Promise<InfraApp> => bootRedisCache({ url: redis.url }, keyPrefix);

  /** The commands of this process, without those that read the log. */
  async function commandsOf(work: () => Promise<unknown>): Promise<string[]> {
    const names: string[] = [];
    const subscriber = {
      start: (call: unknown) => {
        const { operation } = call as Operation;
        if (!operation.startsWith('x')) names.push(operation);
      },
    };
    const channel = operations('redis');
    channel.subscribe(subscriber as never);
    try {
      await work();
    } finally {
      channel.unsubscribe(subscriber as never);
    }
    return names;
  }

  it('is one command for all hits of a turn, whatever tags and invalidations there are', async () => {
    await using one = await boot();
    await using two = await boot();
    const [writes, reads] = [one, two].map(app => app.get(Cache).namespace('orders')) as [Cache, Cache];
    const keys = Array.from({ length: 40 }, (_, at) => `k${at}`);
    for (const key of keys) await writes.set(key, key, { tags: [`tag of ${key}`] });
    await writes.deleteByTag('tag of k0', 'tag of k1');
    await writes.clearPrefix('k2');
    await reads.get('marks are learned');
    const some = keys.slice(0, 30);
    let found: unknown[] = [];
    const commands = await commandsOf(async () => (found = await Promise.all(some.map(key => reads.get(key)))));
    expect(commands).toEqual(['mget']);
    expect(found.filter(value => value !== undefined)).toEqual(some.filter(key => !/^k[012]$|^k2/.test(key)));
    expect(await commandsOf(() => reads.get('k39'))).toEqual(['get']);
    expect(await commandsOf(() => reads.get('k39'))).toEqual([]);
  });

  it('is nothing that stays: what nobody asks for any more ends within 30 days, entries without end too', async () => {
    await using app = await boot();
    const cache = app.get(Cache);
    await cache.set('set', 1, { ttlMs: 'forever' });
    await cache.getOrSet('loaded', () => 1, { ttlMs: 'forever' });
    await cache.set('a year', 1, { ttlMs: 365 * DAY_MS });
    await cache.set('an hour', 1, { ttlMs: 3_600_000, graceMs: 3_600_000 });
    await cache.clear();
    const names = ['set', 'loaded', 'a year', 'an hour'].map(key => `${keyPrefix}::${key}`);
    await eventually(async () => {
      const [set, loaded, year, hour] = await Promise.all(names.map(name => raw.pttl(name)));
      for (const left of [set!, loaded!, year!]) {
        expect(left).toBeGreaterThan(29 * DAY_MS);
        expect(left).toBeLessThanOrEqual(30 * DAY_MS);
      }
      expect(hour).toBeGreaterThan(3_600_000);
      expect(hour).toBeLessThanOrEqual(2 * 3_600_000);
    });
    const marks = await raw.pttl(`{${keyPrefix}}:in:`);
    expect(marks).toBeGreaterThan(29 * DAY_MS);
  });
});
