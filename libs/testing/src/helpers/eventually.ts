import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long to go on trying, in milliseconds. @default 10_000 */
  timeoutMs?: number;
  /** The pause between two tries, in milliseconds. @default 25 */
  intervalMs?: number;
}

/**
 * Tries until `assertion` does not throw, and resolves with what it returns. At the end of the time it rejects with the last
 * failure itself, so that the report shows the expectation that was not met.
 */
export async function eventually<Result>(
  assertion: () => Result | Promise<Result>,
  { timeoutMs = 10_000, intervalMs = 25 }: EventuallyOptions = {},
): Promise<Result> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await sleep(intervalMs);
  }
}
