import { operations } from '@core-infra/kernel';
import { eventually, uniqueName, useRedis } from '@core-infra/testing';
import { type LimitRule, RateLimiter } from '@core-infra/rate-limit';
import { hourly, redisApp } from './support/redis.app.js';

describe('offenders', () => {
  const redis = useRedis();
  let asked = 0;
  const count = { start: () => void (asked += 1) };
  beforeAll(() => operations('rate-limit').subscribe(count as never));
  afterAll(() => operations('rate-limit').unsubscribe(count as never));
  beforeEach(() => (asked = 0));

  it('are refused without a round trip', async () => {
    await using app = await redisApp(redis.url);
    const limiter = app.get(RateLimiter);
    const rule = hourly(2);
    for (let again = 0; again < 3; again += 1) await limiter.consume(rule, 'ann');
    asked = 0;
    const decisions = await Promise.all(Array.from({ length: 50 }, () => limiter.consume(rule, 'ann')));
    expect(decisions.every(({ allowed, by }) => !allowed && by === 'remembered')).toBe(true);
    expect(decisions[0]).toMatchObject({ windows: [{ limit: 2, remaining: 0 }] });
    expect(decisions[0]!.retryAfterMs).toBeGreaterThan(1_790_000);
    expect(asked).toBe(0);
    expect(await limiter.consume(rule, 'ben')).toMatchObject({ allowed: true, by: 'redis' });
  });

  it('are refused no longer than they have to wait', async () => {
    await using app = await redisApp(redis.url, { rememberMs: 60_000 });
    const limiter = app.get(RateLimiter);
    const rule: LimitRule = { name: uniqueName('quick'), windows: [{ limit: 1, windowMs: 50 }] };
    await limiter.consume(rule, 'ann');
    await eventually(
      async () => expect(await limiter.consume(rule, 'ann')).toMatchObject({ allowed: true, by: 'redis' }),
      {
        timeoutMs: 2_000,
      },
    );
  });

  it('may still do what costs less', async () => {
    await using app = await redisApp(redis.url);
    const limiter = app.get(RateLimiter);
    const rule = hourly(10);
    await limiter.consume(rule, 'ann', { cost: 7 });
    expect(await limiter.consume(rule, 'ann', { cost: 5 })).toMatchObject({ allowed: false });
    expect(await limiter.consume(rule, 'ann', { cost: 4 })).toMatchObject({ allowed: false, by: 'remembered' });
    expect(await limiter.consume(rule, 'ann', { cost: 3 })).toMatchObject({ allowed: true, by: 'redis' });
  });

  it('are forgotten on reset, here at once and elsewhere within rememberMs', async () => {
    const keyPrefix = uniqueName('shared');
    await using here = await redisApp(redis.url, { keyPrefix, rememberMs: 200 });
    await using there = await redisApp(redis.url, { keyPrefix, rememberMs: 200 });
    const rule = hourly(1);
    for (const app of [here, there, here, there]) await app.get(RateLimiter).consume(rule, 'ann');
    expect(await there.get(RateLimiter).consume(rule, 'ann')).toMatchObject({ allowed: false });
    await here.get(RateLimiter).reset(rule, 'ann');
    expect(await here.get(RateLimiter).consume(rule, 'ann')).toMatchObject({ allowed: true, by: 'redis' });
    await here.get(RateLimiter).reset(rule, 'ann');
    await eventually(async () =>
      expect(await there.get(RateLimiter).consume(rule, 'ann')).toMatchObject({ allowed: true, by: 'redis' }),
    );
  });

  it('asking at a cost of 0 asks Redis', async () => {
    const keyPrefix = uniqueName('shared');
    await using here = await redisApp(redis.url, { keyPrefix });
    await using there = await redisApp(redis.url, { keyPrefix });
    const rule = hourly(1);
    for (const app of [here, there]) await app.get(RateLimiter).consume(rule, 'ann');
    await here.get(RateLimiter).reset(rule, 'ann');
    expect(await there.get(RateLimiter).consume(rule, 'ann', { cost: 0 })).toMatchObject({
      allowed: true,
      by: 'redis',
    });
    expect(await there.get(RateLimiter).consume(rule, 'ann')).toMatchObject({ allowed: true, by: 'redis' });
  });

  it('are not remembered with rememberMs: 0', async () => {
    await using app = await redisApp(redis.url, { rememberMs: 0 });
    const limiter = app.get(RateLimiter);
    const rule = hourly(1);
    for (let again = 0; again < 3; again += 1) {
      expect(await limiter.consume(rule, 'ann')).toMatchObject({ by: 'redis', allowed: again === 0 });
    }
  });
});

describe('requests made together', () => {
  const redis = useRedis();

  it('are one script for each limit', async () => {
    await using app = await redisApp(redis.url);
    const limiter = app.get(RateLimiter);
    const rules = [hourly(100), hourly(100)];
    await limiter.consume(rules[0]!, 'first');
    let asked = 0;
    const count = { start: () => void (asked += 1) };
    operations('rate-limit').subscribe(count as never);
    try {
      const decisions = await Promise.all(
        rules.flatMap(rule => Array.from({ length: 40 }, (_, at) => limiter.consume(rule, `caller-${at % 20}`))),
      );
      expect(asked).toBe(2);
      expect(decisions.map(({ windows }) => windows[0]!.remaining)).toEqual(
        rules.flatMap(() => [...Array(20).fill(99), ...Array(20).fill(98)]),
      );
    } finally {
      operations('rate-limit').unsubscribe(count as never);
    }
  });
});
