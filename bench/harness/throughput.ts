import type { Effort, Variant } from './bench-case.js';

/** One call; what it resolves to is thrown away. */
export type Call = (at: number) => Promise<unknown>;

/**
 * Calls to a server as a variant: `concurrency` of them under way at any time, for a while. The sample is `perSecond`, calls that
 * ended in a second, and `cpuUs`, CPU time of this process for each, in microseconds.
 */
export function throughputVariant(name: string, call: Call, { quick }: Effort, concurrency: number = 64): Variant {
  const targetMs = quick ? 150 : 1_500;
  return {
    name,
    async measure() {
      await callFor(call, targetMs / 5, concurrency);
      const before = process.cpuUsage();
      const start = performance.now();
      const calls = await callFor(call, targetMs, concurrency);
      const tookMs = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      return { perSecond: (calls * 1_000) / tookMs, cpuUs: (user + system) / calls };
    },
  };
}

/** @returns how many calls ended */
async function callFor(call: Call, ms: number, concurrency: number): Promise<number> {
  const end = performance.now() + ms;
  let next = 0;
  const caller = async () => {
    while (performance.now() < end) await call((next += 1));
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return next;
}
