import type { Variant } from './bench-case.js';

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

/**
 * Reading as a variant: `total` events, timed from the first to the last, so that joining is not measured. The sample is `perSecond`.
 * @param start begins to read, calls `seen` for each, and returns how to end it
 */
export function consuming(
  name: string,
  total: number,
  fill: () => Promise<unknown>,
  start: (seen: () => void) => Promise<() => Promise<unknown>>,
): Variant {
  return {
    name,
    async measure() {
      await fill();
      let handled = 0;
      let since = 0;
      let done = (_: number): void => undefined;
      const perSecond = new Promise<number>(resolve => (done = resolve));
      const end = await start(() => {
        if (handled === 0) since = performance.now();
        handled += 1;
        if (handled === total) done((total * 1_000) / (performance.now() - since));
      });
      const sample = { perSecond: await perSecond };
      await end();
      return sample;
    },
  };
}
