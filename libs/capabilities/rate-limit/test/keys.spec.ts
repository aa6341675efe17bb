import { RedisClient } from '@core-infra/redis';
import { eventually, type InfraApp, uniqueName, useRedis } from '@core-infra/testing';
import { type LimitRule, RateLimiter } from '@core-infra/rate-limit';
import { hourly, redisApp } from './support/redis.app.js';

describe('what is kept in Redis', () => {
  const redis = useRedis();
  const keyPrefix = uniqueName('kept');
  let app: InfraApp;
  let client: RedisClient;
  let limiter: RateLimiter;
  beforeAll(async () => {
    app = await redisApp(redis.url, { keyPrefix, rememberMs: 0 });
    client = app.get(RedisClient);
    limiter = app.get(RateLimiter);
  });
  afterAll(() => app.close());

  it('is one short key for each limit and caller, in the slot of the caller', async () => {
    const rule: LimitRule = {
      name: 'three',
      windows: [1_000, 60_000, 3_600_000].map(windowMs => ({ limit: 9, windowMs })),
    };
    await limiter.consume(rule, 'ann');
    const key = `${keyPrefix}:{ann}:three:1000,60000,3600000`;
    expect(await client.keys(`${keyPrefix}:*three*`)).toEqual([key]);
    expect(await client.strlen(key)).toBe(32);
  });

  it('names callers whose key is long or odd by a hash', async () => {
    const rule = hourly(5);
    for (const caller of ['a\r\nb', '{x}', 'k'.repeat(10_240)]) await limiter.consume(rule, caller);
    const keys = await client.keys(`${keyPrefix}:*${rule.name}*`);
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(key).toMatch(/^[\w.:-]+:\{#[\w-]{43}\}:[\w:]+$/);
  });

  it('is gone when all units are back', async () => {
    const rule: LimitRule = { name: 'quick', windows: [{ limit: 4, windowMs: 400 }] };
    await limiter.consume(rule, 'ann', { cost: 2 });
    const key = `${keyPrefix}:{ann}:quick:400`;
    const leftMs = await client.pttl(key);
    expect(leftMs).toBeLessThanOrEqual(200);
    await eventually(async () => expect(await client.exists(key)).toBe(0));
  });

  it('is not touched by who is refused, or asks', async () => {
    const rule = hourly(3, { name: 'untouched' });
    const key = `${keyPrefix}:{ann}:untouched:3600000`;
    await limiter.consume(rule, 'ann', { cost: 0 });
    expect(await client.exists(key)).toBe(0);
    await limiter.consume(rule, 'ann', { cost: 2 });
    const before = await client.getBuffer(key);
    for (const cost of [0, 2, 4]) await limiter.consume(rule, 'ann', { cost });
    expect(await client.getBuffer(key)).toEqual(before);
  });

  it('does not keep callers out when the clock of the server goes back', async () => {
    const rule: LimitRule = { name: 'back', windows: [{ limit: 2, windowMs: 100 }] };
    const [seconds] = (await client.time()) as unknown as [string];
    const full = Buffer.alloc(16);
    full.writeDoubleLE((Number(seconds) + 3_600) * 1_000, 0);
    full.writeDoubleLE(2 * 100, 8);
    await client.set(`${keyPrefix}:{ann}:back:100`, full);
    expect(await limiter.consume(rule, 'ann')).toMatchObject({ allowed: false, retryAfterMs: 50 });
    await eventually(async () => expect(await limiter.consume(rule, 'ann')).toMatchObject({ allowed: true }), {
      timeoutMs: 5_000,
    });
  });

  it('begins anew where something else is in its place', async () => {
    const rule = hourly(3, { name: 'garbage' });
    await client.set(`${keyPrefix}:{ann}:garbage:3600000`, 'not a state');
    expect(await limiter.consume(rule, 'ann')).toMatchObject({
      allowed: true,
      by: 'redis',
      windows: [{ remaining: 2 }],
    });
  });
});
