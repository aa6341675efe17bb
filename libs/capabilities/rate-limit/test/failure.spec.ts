import { Connections, operations } from '@core-infra/kernel';
import type { Socket } from 'node:net';
import { RedisClient, RedisModule } from '@core-infra/redis';
import { bootInfra, eventually, useRedis, useRedisServer, useTcpProxy, useToxiproxy } from '@core-infra/testing';
import { type Decision, type LimitRule, RateLimiter, RateLimitModule } from '@core-infra/rate-limit';
import { hourly, redisApp } from './support/redis.app.js';

const checkOf = (connections: Connections) => connections.checks().find(({ name }) => name === 'rate-limit')!;

describe('while Redis is away', () => {
  const redis = useRedis();
  const proxy = useTcpProxy(() => redis.url);

  it('each limit is decided by its own policy, and by Redis once it is back', async () => {
    await using app = await redisApp(proxy.url);
    const limiter = app.get(RateLimiter);
    const rules = {
      local: hourly(2),
      open: hourly(2, { onFailure: 'open' }),
      closed: hourly(2, { onFailure: 'closed' }),
    };
    await proxy.cut();
    for (const [policy, passed] of [
      ['local', [true, true, false]],
      ['open', [true, true, true]],
      ['closed', [false, false, false]],
    ] as const) {
      const decisions: Decision[] = [];
      for (let again = 0; again < 3; again += 1) decisions.push(await limiter.consume(rules[policy], 'ann'));
      expect(decisions.map(({ by, allowed }) => [by, allowed])).toEqual(passed.map(allowed => [policy, allowed]));
    }
    expect(await limiter.consume(rules.open, 'ann')).toMatchObject({ windows: [{ remaining: 2, resetMs: 0 }] });
    expect(await limiter.consume(rules.closed, 'ann')).toMatchObject({
      retryAfterMs: 1_000,
      windows: [{ remaining: 0 }],
    });
    expect(await limiter.consume(rules.open, 'ann', { cost: 3 })).toMatchObject({
      allowed: false,
      retryAfterMs: Infinity,
    });

    await proxy.resume();
    for (const rule of Object.values(rules)) {
      await eventually(async () =>
        expect(await limiter.consume(rule, 'ben', { cost: 0 })).toMatchObject({ by: 'redis' }),
      );
    }
    // What each process let pass meanwhile is not charged to Redis.
    expect(await limiter.consume(rules.local, 'ann')).toMatchObject({ by: 'redis', windows: [{ remaining: 1 }] });
  });

  it('the configured policy holds for limits without one', async () => {
    await using app = await redisApp(proxy.url, { onFailure: 'closed' });
    await proxy.cut();
    const rule = hourly(2);
    await eventually(async () =>
      expect(await app.get(RateLimiter).consume(rule, 'ann')).toMatchObject({ by: 'closed' }),
    );
  });

  it('callers go on from what Redis had said of them', async () => {
    await using app = await redisApp(proxy.url);
    const limiter = app.get(RateLimiter);
    const rule = hourly(5);
    for (let again = 0; again < 3; again += 1) await limiter.consume(rule, 'ann');
    await proxy.cut();
    const decisions: Decision[] = [];
    for (let again = 0; again < 3; again += 1) decisions.push(await limiter.consume(rule, 'ann'));
    expect(decisions.map(({ by, allowed }) => [by, allowed])).toEqual([
      ['local', true],
      ['local', true],
      ['local', false],
    ]);
  });

  it('a reset holds at once, and in Redis when it is back', async () => {
    await using app = await redisApp(proxy.url);
    const limiter = app.get(RateLimiter);
    const rule = hourly(1);
    await limiter.consume(rule, 'ann');
    expect(await limiter.consume(rule, 'ann')).toMatchObject({ allowed: false });
    await proxy.cut();
    await limiter.reset(rule, 'ann');
    expect(await limiter.consume(rule, 'ann')).toMatchObject({ allowed: true, by: 'local' });
    await proxy.resume();
    await eventually(async () =>
      expect(await limiter.consume(rule, 'ann', { cost: 0 })).toMatchObject({ allowed: true, by: 'redis' }),
    );
  });

  it('says so in its health, with what decides instead', async () => {
    await using app = await redisApp(proxy.url, { onFailure: 'open' });
    const check = checkOf(app.get(Connections));
    expect(check).toMatchObject({ critical: false });
    expect(await check.run()).toEqual({ callers: 0, decides: 'redis' });
    await proxy.cut();
    await eventually(async () =>
      expect(await check.run()).toEqual({
        callers: 0,
        decides: 'open',
        degraded: 'Redis is away; unless a limit says otherwise, everything passes',
      }),
    );
  });

  it('an app boots without it, unless told to wait', async () => {
    await proxy.cut();
    const redisModule = () => RedisModule.forRoot({ url: proxy.url });
    await using app = await bootInfra(redisModule(), RateLimitModule.forRoot({ driver: 'redis' }));
    expect(await app.get(RateLimiter).consume(hourly(1), 'ann')).toMatchObject({ allowed: true, by: 'local' });
    const waits = RateLimitModule.forRoot({ driver: 'redis', startup: 'require', connectTimeoutMs: 300 });
    await expect(bootInfra(redisModule(), waits)).rejects.toThrow('rate-limit could not be opened');
  });
});

describe('a Redis that hangs', () => {
  const server = useRedisServer();

  it('is asked by the first caller only; the others do not wait', async () => {
    await using app = await redisApp(server.url, { timeoutMs: 500 });
    const limiter = app.get(RateLimiter);
    const rule = hourly(1_000);
    expect(await limiter.consume(rule, 'ann')).toMatchObject({ by: 'redis' });
    let asked = 0;
    const count = { start: () => void (asked += 1) };
    operations('rate-limit').subscribe(count as never);
    try {
      await server.kill('SIGSTOP');
      for (let again = 0; again < 200; again += 1) {
        expect(await limiter.consume(rule, 'ann')).toMatchObject({ allowed: true, by: 'local' });
      }
      expect(asked).toBe(1);
    } finally {
      operations('rate-limit').unsubscribe(count as never);
      await server.kill('SIGCONT');
    }
    await eventually(async () => expect(await limiter.consume(rule, 'ann')).toMatchObject({ by: 'redis' }));
  });

  it('keeps waiting only those whose limit refuses without it, once an answer is overdue', async () => {
    await using app = await redisApp(server.url, { timeoutMs: 10_000 });
    const limiter = app.get(RateLimiter);
    const [local, closed] = [hourly(1_000, { onFailure: 'local' }), hourly(1_000, { onFailure: 'closed' })];
    for (let again = 0; again < 100; again += 1) await limiter.consume(local, 'ann');
    const decided: string[] = [];
    const ask = (rule: LimitRule) =>
      limiter.consume(rule, 'ann').then(decision => {
        decided.push(`${rule.onFailure} by ${decision.by}`);
      });
    await server.kill('SIGSTOP');
    try {
      const all: Promise<void>[] = [];
      await eventually(() => {
        all.push(ask(local));
        expect(decided).toContain('local by local');
      });
      all.push(ask(closed));
      await ask(local);
      expect(new Set(decided)).toEqual(new Set(['local by local']));
      await server.kill('SIGCONT');
      await Promise.all(all);
      expect(decided.filter(word => word.startsWith('closed'))).toEqual(['closed by redis']);
      expect(decided).toContain('local by redis'); // the first ones, that had waited
    } finally {
      await server.kill('SIGCONT');
    }
  });

  it('keeps a bounded number waiting when many come at their own pace', async () => {
    await using app = await redisApp(server.url, { timeoutMs: 50 });
    const limiter = app.get(RateLimiter);
    const rule = hourly(10_000);
    for (let again = 0; again < 100; again += 1) await limiter.consume(rule, 'ann');
    await server.kill('SIGSTOP');
    try {
      const waits: number[] = [];
      const decisions = await pace(500, 700, async () => {
        const since = performance.now();
        const decision = await limiter.consume(rule, 'ann');
        waits.push(performance.now() - since);
        return decision;
      });
      expect(new Set(decisions.map(({ by }) => by))).toEqual(new Set(['local']));
      process.stdout.write(`Redis hangs, ${waits.length} decisions: ${quantiles(waits)}\n`);
    } finally {
      await server.kill('SIGCONT');
    }
  });

  it('has its script again after a restart, and after SCRIPT FLUSH', async () => {
    await using app = await redisApp(server.url);
    const limiter = app.get(RateLimiter);
    const rule = hourly(10);
    expect(await limiter.consume(rule, 'ann')).toMatchObject({ by: 'redis' });
    await server.restart();
    await eventually(async () => expect(await limiter.consume(rule, 'ben')).toMatchObject({ by: 'redis' }));
    await app.get(RedisClient).script('FLUSH');
    expect(await limiter.consume(rule, 'cid')).toMatchObject({ by: 'redis', windows: [{ remaining: 9 }] });
  });
});

describe('a Redis that is killed and restarted under load', () => {
  const server = useRedisServer();

  it('at 500 requests a second: no request fails', async () => {
    await using app = await redisApp(server.url, { timeoutMs: 50 });
    const limiter = app.get(RateLimiter);
    const rule = hourly(1_000_000);
    const waits: number[] = [];
    const load = pace(500, 2_000, async at => {
      const since = performance.now();
      const decision = await limiter.consume(rule, `caller-${at % 50}`);
      waits.push(performance.now() - since);
      return decision;
    });
    await new Promise(done => setTimeout(done, 500));
    await server.kill('SIGKILL');
    await new Promise(done => setTimeout(done, 500));
    await server.start();
    const decisions = await load;
    expect(decisions.length).toBeGreaterThan(100);
    expect(decisions.every(({ allowed }) => allowed)).toBe(true);
    expect(new Set(decisions.map(({ by }) => by))).toEqual(new Set(['redis', 'local']));
    await eventually(async () => expect(await limiter.consume(rule, 'ann')).toMatchObject({ by: 'redis' }));
    process.stdout.write(`Redis killed and restarted, ${waits.length} decisions: ${quantiles(waits)}\n`);
  });
});

describe('behind a network that fails', () => {
  const redis = useRedis();
  const toxic = useToxiproxy(() => redis.url);

  it.each([
    ['answers come 5 s late', () => toxic.latency(5_000)],
    ['connections are reset', () => toxic.resetPeer()],
    ['connections are half open', () => toxic.halfOpen()],
    ['the network is down', () => toxic.down()],
  ])('callers are decided in this process: %s', async (_fault, break_) => {
    await using app = await redisApp(toxic.url, { timeoutMs: 500 });
    const limiter = app.get(RateLimiter);
    const rule = hourly(50);
    expect(await limiter.consume(rule, 'ann')).toMatchObject({ by: 'redis' });
    await break_();
    const decisions = await Promise.all(Array.from({ length: 60 }, () => limiter.consume(rule, 'ben')));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(50);
    expect(new Set(decisions.map(({ by }) => by))).toEqual(new Set(['local']));
    await toxic.heal();
    await eventually(async () => expect(await limiter.consume(rule, 'cid')).toMatchObject({ by: 'redis' }), {
      timeoutMs: 20_000,
    });
  });

  it('a request whose answer was lost is not sent again: Redis has counted it once', async () => {
    await using direct = await redisApp(redis.url);
    await using app = await redisApp(toxic.url, { timeoutMs: 10_000 });
    const limiter = app.get(RateLimiter);
    const rule = hourly(5);
    await limiter.consume(rule, 'somebody else');
    const seen = direct.get(RedisClient);
    const keys = async () => (await seen.keys(`*:{ann}:${rule.name}:*`)).length;

    await toxic.latency(60_000);
    const pending = limiter.consume(rule, 'ann');
    await eventually(async () => expect(await keys()).toBe(1)); // executed, and the answer is on its way
    (app.get(RedisClient) as unknown as { stream: Socket }).stream.destroy();
    expect(await pending).toMatchObject({ allowed: true, by: 'local' });
    await toxic.heal();
    await eventually(async () =>
      expect(await limiter.consume(rule, 'ann', { cost: 0 })).toMatchObject({
        by: 'redis',
        windows: [{ remaining: 4 }],
      }),
    );
  });
});

/** Calls at a steady pace, whether earlier calls have ended or not. */
async function pace<T>(perSecond: number, forMs: number, call: (at: number) => Promise<T>): Promise<T[]> {
  const calls: Promise<T>[] = [];
  const began = performance.now();
  for (let passed = 0; passed < forMs; passed = performance.now() - began) {
    while (calls.length < (passed / 1_000) * perSecond) calls.push(call(calls.length));
    await new Promise(done => setTimeout(done, 1));
  }
  return Promise.all(calls);
}

function quantiles(values: number[]): string {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (ratio: number) => `p${ratio * 100} ${sorted[Math.floor(ratio * (sorted.length - 1))]!.toFixed(2)} ms`;
  return [0.5, 0.99, 1].map(at).join(', ');
}
