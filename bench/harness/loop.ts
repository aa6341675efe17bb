import type { Effort, Variant } from './bench-case.js';

/**
 * Calls what is measured, `times` times, in a loop of its own: a loop that all variants shared would see all their types, and slow
 * each of them down. What it computes goes to {@link sink}, or the compiler may leave it out.
 */
export type Loop = (times: number) => void | Promise<void>;

/** Where results go that nobody needs. */
export const sink = { value: 0 };

/**
 * A function as a variant, measured in this process by CPU time, that of all threads: what is written or collected beside counts, what
 * other processes do does not. The sample is `nsPerCall`, in nanoseconds.
 */
export function loopVariant(name: string, loop: Loop, { quick }: Effort): Variant {
  const targetMs = quick ? 50 : 500;
  let times: number | undefined;
  return {
    name,
    async measure() {
      times ??= await calibrate(loop, targetMs);
      await loop(Math.ceil(times / 5)); // after the others had their turn, this one warms up anew
      const before = process.cpuUsage();
      await loop(times);
      const { user, system } = process.cpuUsage(before);
      return { nsPerCall: ((user + system) * 1_000) / times };
    },
  };
}

/** How many calls take about `targetMs` milliseconds, once they are compiled. */
async function calibrate(loop: Loop, targetMs: number): Promise<number> {
  for (let times = 1_000; ; times *= 2) {
    const start = performance.now();
    await loop(times);
    const tookMs = performance.now() - start;
    if (tookMs >= targetMs / 2) return Math.ceil((times * targetMs) / tookMs);
  }
}
