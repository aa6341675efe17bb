import { type LimitRule, RateLimiter, RateLimitModule } from '@core-infra/rate-limit';
import { RedisModule } from '@core-infra/redis';
import { startRedis } from '@core-infra/testing';
import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { BenchCase } from '../harness/bench-case.js';
import { throughputVariant } from '../harness/throughput.js';

/** Callers who take turns; none of them is ever refused, so that each decision is a write. */
const callers = Array.from({ length: 1_024 }, (_, at) => `caller-${at}`);
const LIMIT = 1_000_000;
const WINDOWS_MS = [1_000, 60_000, 3_600_000] as const;

/** The least that a decision can be: GCRA for one window, by the server's clock, without an answer but yes or no. */
const FLOOR = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
if at - now > window then return 0 end
redis.call('SET', KEYS[1], at, 'PX', math.ceil(at - now))
return 1`;

const ruleOf = (windows: number): LimitRule => ({
  name: `windows-${windows}`,
  windows: WINDOWS_MS.slice(0, windows).map(windowMs => ({ limit: LIMIT, windowMs })),
});

const callerOf = (at: number): string => callers[at & 1_023]!;
const against = (variant: string) => ({ variant, as: 'ratio' as const });

export const rateLimit: BenchCase = {
  name: 'rate-limit',
  about:
    'Decisions on one Redis, 64 under way at a time unless it says otherwise, nobody refused. *core-infra*: `RateLimiter.consume` with one, two and three windows. ' +
    '*Lua floor*: a script for one window that only says yes or no, by EVALSHA. *rate-limiter-flexible*: a `RateLimiterRedis` for each window, as its ' +
    'manual has it. *throttler*: `ThrottlerStorageRedisService`, one `increment` for each window, as its guard does. All on ioredis with auto-pipelining.',
  rounds: 7,
  metrics: [
    { key: 'perSecond', label: 'Decisions per second', unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per decision', unit: 'µs' },
  ],
  goals: [
    { metric: 'perSecond', variant: 'core-infra, 1 window', against: against('Lua floor'), atLeast: 0.9 },
    {
      metric: 'perSecond',
      variant: 'core-infra, one at a time',
      against: against('Lua floor, one at a time'),
      atLeast: 0.9,
    },
    ...[1, 1.8, 2.7].flatMap((atLeast, at) =>
      ['rate-limiter-flexible', 'throttler'].map(peer => ({
        metric: 'perSecond',
        variant: `core-infra, ${windowsText(at + 1)}`,
        against: against(`${peer}, ${windowsText(at + 1)}`),
        atLeast,
      })),
    ),
  ],
  async open(effort) {
    const server = await startRedis();

    @Module({
      imports: [
        RedisModule.forRoot({ url: server.url, autoPipelining: true, startup: 'require' }),
        // A decision made in this process would be no work for Redis: none is to be in the figures.
        RateLimitModule.forRoot({ driver: 'redis', timeoutMs: 1_000 }),
      ],
    })
    class OursModule {}
    const app = await NestFactory.createApplicationContext(OursModule, { logger: false, abortOnError: false });
    const limiter = app.get(RateLimiter);

    const redis = new Redis(server.url, { enableAutoPipelining: true });
    const sha = (await redis.script('LOAD', FLOOR)) as string;
    const flexible = WINDOWS_MS.map(
      (windowMs, at) =>
        new RateLimiterRedis({
          storeClient: redis,
          keyPrefix: `flexible-${at}`,
          points: LIMIT,
          duration: windowMs / 1_000,
        }),
    );
    const throttler = new ThrottlerStorageRedisService(redis);

    const consume = async (windows: number, at: number): Promise<void> => {
      const { by } = await limiter.consume(rules[windows - 1]!, callerOf(at));
      if (by !== 'redis') throw new Error(`A decision was made by "${by}", not by Redis.`);
    };
    const peers = [1, 2, 3].flatMap(windows => [
      throughputVariant(`core-infra, ${windowsText(windows)}`, at => consume(windows, at), effort),
      throughputVariant(
        `rate-limiter-flexible, ${windowsText(windows)}`,
        at => Promise.all(flexible.slice(0, windows).map(one => one.consume(callerOf(at)))),
        effort,
      ),
      throughputVariant(
        `throttler, ${windowsText(windows)}`,
        async at => {
          for (const windowMs of WINDOWS_MS.slice(0, windows))
            await throttler.increment(`${callerOf(at)}-${windowMs}`, windowMs, LIMIT, 0, 'default');
        },
        effort,
      ),
    ]);
    const floor = (at: number): Promise<unknown> =>
      redis.evalsha(sha, 1, `floor:${callerOf(at)}`, 60_000 / LIMIT, 60_000);
    return {
      variants: [
        throughputVariant('Lua floor', floor, effort),
        ...peers,
        throughputVariant('Lua floor, one at a time', floor, effort, 1),
        throughputVariant('core-infra, one at a time', at => consume(1, at), effort, 1),
      ],
      async close() {
        await app.close();
        redis.disconnect();
        await server.dispose();
      },
    };
  },
};

const rules = [1, 2, 3].map(ruleOf);

function windowsText(windows: number): string {
  return windows === 1 ? '1 window' : `${windows} windows`;
}
