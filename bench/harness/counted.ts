import type { Sample, Variant } from './bench-case.js';

/** Events of a batch. */
export const BATCH = 100;

/** Numbers of the events of a batch. */
export const batchAt = (at: number): number[] => Array.from({ length: BATCH }, (_, n) => at * BATCH + n);

/** The same variant, with something cleared away after each round. */
export function cleared({ name, measure }: Variant, clear: () => Promise<unknown>): Variant {
  return {
    name,
    async measure() {
      const sample = await measure();
      await clear();
      return sample;
    },
  };
}

/** For how long a reader may see nothing before it is given up, in milliseconds. */
const STALLED_MS = 60_000;

/**
 * Reading as a variant: `total` events, timed from the first to the last, so that joining is not measured. The sample is `perSecond`, and `cpuUs`, CPU time
 * of this process for each, in microseconds.
 * @param start begins to read, calls `seen` for each, and returns how to end it
 */
export function consuming(
  name: string,
  total: number,
  fill: () => Promise<unknown>,
  start: (seen: () => void) => Promise<() => Promise<unknown>>,
  stalledMs = STALLED_MS,
): Variant {
  return {
    name,
    async measure() {
      await fill();
      let handled = 0;
      let since = 0;
      let before = process.cpuUsage();
      let done = (_: Sample): void => undefined;
      const sampled = new Promise<Sample>(resolve => (done = resolve));
      const seen = (): void => {
        if (handled === 0) {
          since = performance.now();
          before = process.cpuUsage();
        }
        handled += 1;
        if (handled !== total) return;
        const tookMs = performance.now() - since;
        const { user, system } = process.cpuUsage(before);
        done({ perSecond: (total * 1_000) / tookMs, cpuUs: (user + system) / total });
      };
      let watch: NodeJS.Timeout | undefined;
      const stalled = new Promise<never>((_resolve, reject) => {
        let handledBefore = 0;
        watch = setInterval(() => {
          if (handled === handledBefore)
            reject(
              new Error(`${name}: ${handled} of ${total} events were handled, and none in the last ${stalledMs} ms.`),
            );
          handledBefore = handled;
        }, stalledMs);
      });
      let end: (() => Promise<unknown>) | undefined;
      try {
        const started = start(seen).then(ending => (end = ending));
        const [sample] = await Promise.race([Promise.all([sampled, started]), stalled]);
        return sample;
      } finally {
        clearInterval(watch);
        await end?.();
      }
    },
  };
}
