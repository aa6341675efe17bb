import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '@core-infra/testing';

/**
 * What `promise` resolves with, or an error that says what was waited for.
 * @param limitMs that it does not hang; on a busy machine things take their time
 */
export async function within<Result>(what: () => string, promise: Promise<Result>, limitMs = 120_000): Promise<Result> {
  const settled = new AbortController();
  const late = sleep(limitMs, undefined, settled).then(() => {
    throw new Error(`Waited for ${limitMs / 1_000} s: ${what()}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    settled.abort();
    await late.catch(() => undefined);
  }
}

/** Resolves when the process has written such a line; otherwise says what it wrote last. */
export function toSay(child: Child, pattern: RegExp, limitMs?: number): Promise<RegExpMatchArray> {
  const last = (): string => child.lines.slice(-20).join('\n');
  return within(() => `process ${child.pid} to say ${String(pattern)}\n${last()}`, child.waitForLine(pattern), limitMs);
}
