import { getRedisToken, RedisModule, type RedisClient } from '@core-infra/redis';
import { bootInfra, uniqueName, useRedis } from '@core-infra/testing';
import { Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Cache, CacheModule, type CacheOptions, UnserialisableValueError } from '../../src/index.js';

const redis = useRedis();
const key = (id: string) => ({ id, key: randomBytes(32).toString('base64') });
const [old, next] = [key('old'), key('new')];

type Codec = NonNullable<CacheOptions['codec']>;

const boot = (keyPrefix: string, codec: Codec) =>
  bootInfra(
    RedisModule.forRoot({ url: redis.url, startup: 'require' }),
    CacheModule.forRoot({ driver: 'redis', startup: 'require', redis: { keyPrefix }, codec }),
  );

const order = { id: 'ord_1', total: 1250, lines: Array.from({ length: 40 }, (_, n) => ({ sku: `S${n}`, n })) };
const rich = { at: new Date(0), cents: 12n, byId: new Map([['a', new Set([1])]]), ...order };

afterEach(() => jest.restoreAllMocks());

describe('values between two processes over one Redis', () => {
  it.each<[string, Codec, object]>([
    ['json', { serialiser: 'json' }, order],
    ['json, packed', { compressAboveBytes: 100 }, order],
    ['json, packed with zstd', { compressAboveBytes: 100, compression: 'zstd' }, order],
    ['superjson', { serialiser: 'superjson' }, rich],
    [
      'msgpack, packed and encrypted',
      { serialiser: 'msgpack', compressAboveBytes: 100, encryption: { keys: [old] } },
      rich,
    ],
    ['superjson, encrypted', { serialiser: 'superjson', encryption: { keys: [old] } }, rich],
  ])('are the same with %s', async (_, codec, value) => {
    const keyPrefix = uniqueName('cache');
    await using first = await boot(keyPrefix, codec);
    await using second = await boot(keyPrefix, codec);
    await first.get(Cache).set('ord_1', value);
    expect(await second.get(Cache).get('ord_1')).toEqual(value);
    expect(await first.get(Cache).get('ord_1')).toEqual(value);
  });

  it('outlive a rotation of the keys, and a change of every other setting', async () => {
    const keyPrefix = uniqueName('cache');
    await using before = await boot(keyPrefix, { encryption: { keys: [old] } });
    await before.get(Cache).set('ord_1', order);
    await using after = await boot(keyPrefix, {
      serialiser: 'msgpack',
      compressAboveBytes: 10,
      encryption: { keys: [next, old] },
    });
    expect(await after.get(Cache).get('ord_1')).toEqual(order);
  });

  it('are loaded anew when they were tampered with, with a line in the log and no value in it', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const keyPrefix = uniqueName('cache');
    const codec = { encryption: { keys: [old] } };
    await using writer = await boot(keyPrefix, codec);
    await writer.get(Cache).set('ord_1', { paid: false, note: 'not for logs' });
    const client = writer.get<RedisClient>(getRedisToken());
    const entries = (await client.keys(`${keyPrefix}*`)).filter(name => name.includes('ord_1'));
    expect(entries.length).toBeGreaterThan(0);
    for (const name of entries) {
      if ((await client.type(name)) !== 'string') continue;
      const bytes = (await client.getBuffer(name))!;
      bytes[bytes.length - 1]! ^= 1;
      await client.set(name, bytes, 'KEEPTTL');
    }
    await using reader = await boot(keyPrefix, codec);
    expect(await reader.get(Cache).getOrSet('ord_1', () => 'loaded')).toBe('loaded');
    const lines = warned.mock.calls.map(call => JSON.stringify(call));
    expect(lines.filter(line => line.includes('tampered') && line.includes('"security":true'))).toHaveLength(1);
    expect(lines.join()).not.toContain('not for logs');
    expect(lines.join()).not.toContain(old!.key);
  });

  it('that cannot be carried are refused with the name of the option, and the loader is still served', async () => {
    await using app = await boot(uniqueName('cache'), {});
    await expect(app.get(Cache).set('x', { total: 1n })).rejects.toBeInstanceOf(UnserialisableValueError);
    await expect(app.get(Cache).set('x', { total: 1n })).rejects.toThrow('CACHE_CODEC_SERIALISER');
    expect(await app.get(Cache).getOrSet('x', () => ({ total: 1n }))).toEqual({ total: 1n });
  });
});
