import { HttpException } from '@nestjs/common';
import { classify } from '@core-infra/kernel';
import type { Handler } from '../handlers/handler.js';
import type { DeadReason } from '../stores/dead-letters.js';
import type { Failure, Work } from './work.js';

export type Verdict = { readonly dead: DeadReason } | { readonly delayMs: number; readonly mode: 'ordered' | 'fast' };

/**
 * What becomes of a message whose attempt has failed; `work.attempts` counts that attempt.
 * @param isAway whether it failed since a server was away: such an attempt says nothing about the message, and only age ends it
 */
export function verdictOf(
  work: Work,
  handler: Handler,
  { error, reason }: Failure,
  now: number,
  isAway: boolean = false,
): Verdict {
  if (reason) return { dead: reason };
  const { retry, mode } = handler;
  const { retryable, retryAfterMs = 0 } = hintsOf(error);
  if (!(askedOf(retry.retryable, error) ?? retryable)) return { dead: 'not-retryable' };
  if (work.attempts >= retry.attempts && !isAway) return { dead: 'attempts' };
  const longest = Math.min(retry.maxDelayMs, retry.firstDelayMs * retry.factor ** Math.min(100, work.attempts - 1));
  const delayMs = Math.max(retryAfterMs, Math.random() * longest);
  if (now + delayMs - work.firstAttemptAt > retry.maxAgeMs) return { dead: 'age' };
  const ordered = work.message.key !== undefined && !work.message.redelivered && mode !== 'fast';
  return { delayMs, mode: ordered ? 'ordered' : 'fast' };
}

/** An answer that is no answer leaves the question to the error. */
function askedOf(retryable: Handler['retry']['retryable'], error: unknown): boolean | undefined {
  try {
    return retryable?.(error);
  } catch {
    return undefined;
  }
}

const passing = new Set([408, 425, 429]);

/** An error that is the caller's fault stays one; whatever is not known may pass. */
function hintsOf(error: unknown): { readonly retryable: boolean; readonly retryAfterMs?: number } {
  if (error instanceof HttpException) {
    const status = error.getStatus();
    return { retryable: status >= 500 || passing.has(status) };
  }
  try {
    const { fault, retryable, retryAfterMs } = classify(error);
    return { retryable: retryable || fault !== 'client', ...(retryAfterMs !== undefined && { retryAfterMs }) };
  } catch {
    return { retryable: true }; // an object that cannot be asked
  }
}
