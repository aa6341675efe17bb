import { setTimeout as sleep } from 'node:timers/promises';

const firstMs = 100;
const longestMs = 10_000;

/**
 * Repeats a step that must not be lost until it succeeds, with pauses that grow from 0.1 to 10 s.
 * @param failed is told of each failure, with how many there were
 * @returns whether it succeeded; not when the signal aborts first
 */
export async function untilDone(
  step: () => Promise<unknown>,
  signal: AbortSignal,
  failed: (error: unknown, times: number) => void,
): Promise<boolean> {
  for (let times = 1; !signal.aborted; times += 1) {
    try {
      await step();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      failed(error, times);
    }
    const pause = Math.min(longestMs, firstMs * 2 ** (times - 1)) * (0.5 + Math.random() / 2);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
