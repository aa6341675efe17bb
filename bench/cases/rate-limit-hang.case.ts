import { type LimitRule, RateLimiter, RateLimitModule } from '@core-infra/rate-limit';
import { RedisModule } from '@core-infra/redis';
import { type RedisServer, startRedis } from '@core-infra/testing';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase, Effort, Sample, Variant } from '../harness/bench-case.js';
import { percentile } from '../harness/statistics.js';

const PER_SECOND = 500;
const rule: LimitRule = { name: 'bench', windows: [{ limit: 1_000_000, windowMs: 3_600_000 }] };

/** Decisions at a steady pace, whether earlier ones have been made or not, so that a slow one is followed by as many as a quick one. */
async function decide(limiter: RateLimiter, forMs: number): Promise<Sample> {
  const latencies: Promise<number>[] = [];
  const start = performance.now();
  for (let passed = 0; passed < forMs; passed = performance.now() - start) {
    for (let due = (latencies.length * 1_000) / PER_SECOND; due <= passed; due += 1_000 / PER_SECOND) {
      const caller = `caller-${latencies.length % 50}`;
      const askedAt = performance.now();
      latencies.push(limiter.consume(rule, caller).then(() => performance.now() - askedAt));
    }
    await sleep(1);
  }
  const values = await Promise.all(latencies);
  return { p50Ms: percentile(values, 0.5), p99Ms: percentile(values, 0.99), maxMs: percentile(values, 1) };
}

/** Until Redis decides again. */
async function recover(limiter: RateLimiter): Promise<void> {
  while ((await limiter.consume(rule, 'caller-0')).by !== 'redis') await sleep(20);
}

function variants(server: RedisServer, limiter: RateLimiter, { quick }: Effort): Variant[] {
  const forMs = quick ? 2_000 : 5_000;
  const measured = (name: string, fault?: { begin(): Promise<void>; end(): Promise<void> }): Variant => ({
    name,
    async measure() {
      await recover(limiter);
      await decide(limiter, 500);
      await fault?.begin();
      try {
        return await decide(limiter, forMs);
      } finally {
        await fault?.end();
        await recover(limiter);
      }
    },
  });
  return [
    measured('healthy'),
    measured('Redis hangs', { begin: () => server.kill('SIGSTOP'), end: () => server.kill('SIGCONT') }),
    measured('Redis is gone', { begin: () => server.kill('SIGKILL'), end: () => server.start() }),
  ];
}

export const rateLimitHang: BenchCase = {
  name: 'rate-limit-hang',
  about:
    `${PER_SECOND} decisions a second by one process with the defaults (\`onFailure: 'local'\`, \`timeoutMs: 50\`): with Redis as it should be; stopped by SIGSTOP, so that it takes ` +
    'connections and answers nothing; killed. The fault begins as the measurement does.',
  rounds: 3,
  metrics: [
    { key: 'p50Ms', label: 'p50', unit: 'ms', digits: 2 },
    { key: 'p99Ms', label: 'p99', unit: 'ms', digits: 2 },
    { key: 'maxMs', label: 'Longest', unit: 'ms' },
  ],
  goals: ['Redis hangs', 'Redis is gone'].map(variant => ({
    metric: 'p99Ms',
    variant,
    against: { variant: 'healthy', as: 'difference' },
    atMost: 5,
  })),
  async open(effort) {
    const server = await startRedis();

    @Module({
      imports: [
        RedisModule.forRoot({ url: server.url, startup: 'require' }),
        RateLimitModule.forRoot({ driver: 'redis' }),
      ],
    })
    class LimitedModule {}
    const app = await NestFactory.createApplicationContext(LimitedModule, { logger: false, abortOnError: false });
    return {
      variants: variants(server, app.get(RateLimiter), effort),
      async close() {
        await app.close();
        await server.dispose();
      },
    };
  },
};
