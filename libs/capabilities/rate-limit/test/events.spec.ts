import { operations } from '@core-infra/kernel';
import { RedisClient } from '@core-infra/redis';
import { bootInfra, eventually, useRedis, useTcpProxy } from '@core-infra/testing';
import { Logger, type LoggerService } from '@nestjs/common';
import { RateLimiter, rateLimitDecisions, RateLimitModule } from '@core-infra/rate-limit';
import { hourly, redisApp } from './support/redis.app.js';

describe('what is told', () => {
  const redis = useRedis();
  const proxy = useTcpProxy(() => redis.url);
  const told: unknown[] = [];
  const listen = (message: unknown) => void told.push(message);
  beforeEach(() => {
    told.length = 0;
    rateLimitDecisions.subscribe(listen);
  });
  afterEach(() => {
    rateLimitDecisions.unsubscribe(listen);
    Logger.overrideLogger(false);
  });

  it('of each decision: the limit, who decided and how, never the caller', async () => {
    await using app = await redisApp(proxy.url);
    const limiter = app.get(RateLimiter);
    const rule = hourly(1);
    for (let again = 0; again < 3; again += 1) await limiter.consume(rule, 'ann@example.org');
    await proxy.cut();
    await limiter.consume(rule, 'ben@example.org');
    const message = { connection: 'rate-limit', limit: rule.name };
    expect(told).toEqual([
      { ...message, allowed: true, by: 'redis' },
      { ...message, allowed: false, by: 'remembered' },
      { ...message, allowed: false, by: 'remembered' },
      { ...message, allowed: true, by: 'local' },
    ]);
  });

  it('of the 201st name on, only that it is another', async () => {
    await using app = await bootInfra(RateLimitModule.forRoot());
    const limiter = app.get(RateLimiter);
    const windows = [{ limit: 1, windowMs: 1_000 }];
    for (let at = 0; at < 300; at += 1) await limiter.consume({ name: `limit-${at}`, windows }, 'ann');
    await limiter.consume({ name: 'limit-7', windows }, 'ben');
    const names = told.map(message => (message as { limit: string }).limit);
    expect(new Set(names).size).toBe(201);
    expect(names.slice(199, 202)).toEqual(['limit-199', 'other', 'other']);
    expect(names.at(-1)).toBe('limit-7');
  });

  it('of each call to Redis: that it is one, without keys', async () => {
    await using app = await redisApp(redis.url);
    const calls: unknown[] = [];
    const note = { start: (call: object) => void calls.push({ ...call }) };
    operations('rate-limit').subscribe(note as never);
    await app.get(RateLimiter).consume(hourly(1), 'ann');
    operations('rate-limit').unsubscribe(note as never);
    expect(calls).toEqual([{ component: 'rate-limit', connection: 'rate-limit', operation: 'consume' }]);
  });

  it('in the log: that it decides without Redis, and that it counts there again', async () => {
    await using app = await redisApp(proxy.url);
    const lines = recordLog();
    await app.get(RateLimiter).consume(hourly(1), 'ann');
    await proxy.cut();
    await eventually(() =>
      expect(lines).toContainEqual({
        msg: "rate-limit decides without Redis, by each limit's failure policy",
        connection: 'rate-limit',
        onFailure: 'local',
      }),
    );
    await proxy.resume();
    await eventually(() =>
      expect(lines).toContainEqual({ msg: 'rate-limit counts in Redis', connection: 'rate-limit' }),
    );
    expect(lines.filter(line => (line as { connection?: string }).connection === 'rate-limit')).toHaveLength(2);
  });

  it('in the log: an error of Redis, once for many, without the caller; the failure policy decides', async () => {
    await using app = await redisApp(redis.url, { keyPrefix: 'taken' });
    const lines = recordLog();
    const rule = hourly(2);
    const key = `taken:{ann@example.org}:${rule.name}:3600000`;
    await app.get(RedisClient).lpush(key, 'not ours');
    try {
      const decisions = [];
      for (let again = 0; again < 3; again += 1)
        decisions.push(await app.get(RateLimiter).consume(rule, 'ann@example.org'));
      expect(decisions.map(({ allowed, by }) => [allowed, by])).toEqual([
        [true, 'local'],
        [true, 'local'],
        [false, 'local'],
      ]);
    } finally {
      await app.get(RedisClient).del(key);
    }
    const ours = lines.filter(line => (line as { connection?: string }).connection === 'rate-limit');
    expect(ours).toHaveLength(1);
    expect((ours[0] as { msg: string }).msg).toMatch(/^rate-limit could not count in Redis.*WRONGTYPE/);
    expect(JSON.stringify(lines)).not.toContain('example.org');
  });
});

function recordLog(): unknown[] {
  const lines: unknown[] = [];
  const note = (line: unknown) => void lines.push(line);
  const recorder: LoggerService = { log: note, warn: note, error: note, debug: () => undefined };
  Logger.overrideLogger(recorder);
  return lines;
}
