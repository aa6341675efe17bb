import { type LimitRule, RateLimiter, RateLimitModule } from '@core-infra/rate-limit';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { BenchCase } from '../harness/bench-case.js';
import { loopVariant, sink } from '../harness/loop.js';

const callers = Array.from({ length: 1_024 }, (_, at) => `caller-${at}`);
/** A unit comes back every 1.7 ms: nobody is refused, and nobody has all of them back before the next turn and is forgotten. */
const LIMIT = 50_000_000;
const WINDOW_MS = 86_400_000;
const rule: LimitRule = { name: 'bench', windows: [{ limit: LIMIT, windowMs: WINDOW_MS }] };

@Module({ imports: [RateLimitModule.forRoot({})] })
class OursModule {}

export const rateLimitMemory: BenchCase = {
  name: 'rate-limit-memory',
  about:
    'One window, in this process alone, nobody refused. *core-infra*: `RateLimiter.consume`. *rate-limiter-flexible*: `RateLimiterMemory`. ' +
    'The memory storage of @nestjs/throttler is left out: it keeps the expiry of every request of the window in a list that each call copies, so that its cost has no steady state.',
  rounds: 15,
  metrics: [{ key: 'nsPerCall', label: 'CPU per decision', unit: 'ns', digits: 0 }],
  goals: [
    {
      metric: 'nsPerCall',
      variant: 'core-infra',
      against: { variant: 'rate-limiter-flexible', as: 'ratio' },
      atMost: 1,
    },
  ],
  async open(effort) {
    const app = await NestFactory.createApplicationContext(OursModule, { logger: false, abortOnError: false });
    const limiter = app.get(RateLimiter);
    const flexible = new RateLimiterMemory({ points: LIMIT, duration: WINDOW_MS / 1_000 });
    return {
      variants: [
        loopVariant(
          'core-infra',
          async times => {
            let allowed = 0;
            for (let at = 0; at < times; at += 1)
              if ((await limiter.consume(rule, callers[at & 1_023]!)).allowed) allowed += 1;
            sink.value += allowed;
          },
          effort,
        ),
        loopVariant(
          'rate-limiter-flexible',
          async times => {
            let left = 0;
            for (let at = 0; at < times; at += 1)
              left += (await flexible.consume(callers[at & 1_023]!)).remainingPoints;
            sink.value += left;
          },
          effort,
        ),
      ],
      close: () => app.close(),
    };
  },
};
