import { QueryFailedError } from 'typeorm';

/** Serialisation failure, deadlock. */
const repeatable = new Set(['40001', '40P01']);

const firstPauseMs = 10;
const longestPauseMs = 1_000;

/** Whether a transaction failed in a way that running all of it again may mend, whoever wrapped the error. */
export function isRepeatable(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; depth += 1) {
    if (repeatable.has(String((at as { code?: unknown }).code))) return true;
    at = at instanceof QueryFailedError ? at.driverError : at.cause;
  }
  return false;
}

/** Exponential from 10 ms to 1 s, with full jitter, so that two that lost to each other do not meet again. */
export function pauseMs(attempt: number): number {
  return Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
}
