import { HttpException } from '@nestjs/common';
import { type Classification, classify } from '@core-infra/kernel';
import type { Handler } from '../handlers/handler.js';
import type { DeadReason } from '../stores/dead-letters.js';
import type { Failure, Work } from './work.js';

export type Verdict = { readonly dead: DeadReason } | { readonly delayMs: number; readonly mode: 'ordered' | 'fast' };

/** What becomes of a message whose attempt has failed; `work.attempts` counts that attempt. */
export function verdictOf(
  work: Work,
  handler: Handler,
  { error, reason }: Failure,
  now: number,
  { retryable, retryAfterMs, isAway }: Hints,
): Verdict {
  if (reason) return { dead: reason };
  const { retry, mode } = handler;
  if (!(askedOf(retry.retryable, error) ?? retryable)) return { dead: 'not-retryable' };
  if (work.attempts >= retry.attempts && !isAway) return { dead: 'attempts' };
  const longest = Math.min(retry.maxDelayMs, retry.firstDelayMs * retry.factor ** Math.min(100, work.attempts - 1));
  // Those that were told the same time to come again do not come at once either.
  const delayMs = retryAfterMs + Math.random() * longest;
  if (now + delayMs - (work.firstAttemptAt ?? now) > retry.maxAgeMs) return { dead: 'age' };
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

/** What an error says of whether and when another attempt may help. */
export interface Hints {
  readonly retryable: boolean;
  /** The least time to wait, in milliseconds; 0 where nothing is said. */
  readonly retryAfterMs: number;
  /** It failed since a server was away: such an attempt says nothing about the message, and only age ends it. */
  readonly isAway: boolean;
}

/**
 * An error that is the caller's fault stays one; whatever is not known may pass.
 * @param classifyByAll with what the app's connections know. What one of them calls the caller's fault (a row that exists) may well pass for a message, so
 * it is asked only whether a server was away
 */
export function hintsOf(error: unknown, classifyByAll: (error: unknown) => Classification): Hints {
  try {
    if (error instanceof HttpException) {
      const status = error.getStatus();
      return { retryable: status >= 500 || passing.has(status), retryAfterMs: ownPause(error), isAway: false };
    }
    const own = classify(error);
    const all = classifyByAll(error);
    return {
      retryable: own.retryable || own.fault !== 'client',
      retryAfterMs: all.retryAfterMs ?? ownPause(error),
      isAway: all.fault === 'dependency' && all.retryable,
    };
  } catch {
    return { retryable: true, retryAfterMs: 0, isAway: false }; // an object that cannot be asked
  }
}

/** Errors that know when to come again say so by `retryAfterMs`, themselves or what has caused them. */
function ownPause(error: unknown): number {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 8; depth += 1) {
    const { retryAfterMs, cause } = at as { retryAfterMs?: unknown; cause?: unknown };
    if (typeof retryAfterMs === 'number' && retryAfterMs >= 0 && Number.isFinite(retryAfterMs)) return retryAfterMs;
    at = cause;
  }
  return 0;
}
