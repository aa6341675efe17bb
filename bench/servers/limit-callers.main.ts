import 'reflect-metadata';
import { answering } from '../harness/answering.js';

// Counts a request for each of many callers in one kind of limiter, and says what they take. The question is the kind and how many.

export interface CallersQuestion {
  readonly kind: 'core-infra' | 'rate-limiter-flexible';
  readonly callers: number;
}

export interface CallersAnswer {
  /** What a caller added, after garbage collection, his address included. */
  readonly bytesPerCaller: number;
}

type Consume = (caller: string) => Promise<unknown>;

const LIMIT = 100;
const WINDOW_MS = 3_600_000;

/** Kept until the process ends, so that nothing of it is collected. */
const kept: unknown[] = [];

const open: Record<CallersQuestion['kind'], (callers: number) => Promise<Consume>> = {
  'core-infra': async callers => {
    const { RateLimiter, RateLimitModule } = await import('@core-infra/rate-limit');
    const { NestFactory } = await import('@nestjs/core');
    const module = RateLimitModule.forRoot({ maxCallers: callers + 1 });
    const app = await NestFactory.createApplicationContext(module, { logger: false });
    const limiter = app.get(RateLimiter);
    const rule = { name: 'bench', windows: [{ limit: LIMIT, windowMs: WINDOW_MS }] };
    kept.push(app);
    return caller => limiter.consume(rule, caller);
  },
  'rate-limiter-flexible': async () => {
    const { RateLimiterMemory } = await import('rate-limiter-flexible');
    const limiter = new RateLimiterMemory({ points: LIMIT, duration: WINDOW_MS / 1_000 });
    kept.push(limiter);
    return caller => limiter.consume(caller);
  },
};

answering<CallersQuestion>(async ({ kind, callers }) => {
  const consume = await open[kind](callers);
  await consume('ip:192.0.2.1');
  const before = heapBytes();
  for (let at = 0; at < callers; at += 1) await consume(`ip:10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
  return { bytesPerCaller: (heapBytes() - before) / callers } satisfies CallersAnswer;
});

function heapBytes(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}
