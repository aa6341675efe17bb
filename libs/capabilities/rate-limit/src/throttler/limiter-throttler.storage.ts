import { Injectable } from '@nestjs/common';
import { type LimitRule, RateLimiter } from '../rate-limiter.js';

const MOST_RULES = 1_000;

/** The answer that `ThrottlerGuard` expects, which counts in seconds where it asks in milliseconds. */
export interface ThrottlerRecord {
  /** Units used; one above the limit when it is refused. */
  totalHits: number;
  /** Until all of the limit is there again, in seconds. */
  timeToExpire: number;
  isBlocked: boolean;
  /** Until the next request passes, in seconds. */
  timeToBlockExpire: number;
}

/**
 * Has `@nestjs/throttler` count in the app's {@link RateLimiter}: give it to `ThrottlerModule` as `storage`. It fits the package's `ThrottlerStorage`,
 * without importing it. A limit is GCRA's then: after it is used up, requests pass again one by one rather than all at once when the time is up.
 * A `blockDuration` other than the `ttl`, which is what the package fills in, is kept: who exceeds the limit is refused for as long.
 */
@Injectable()
export class LimiterThrottlerStorage {
  /** Requests of one rule go to Redis together, and a rule is known by its object. */
  private rules = new Map<string, LimitRule>();

  constructor(private readonly limiter: RateLimiter) {}

  /**
   * @param ttl length of the window, in milliseconds
   * @param blockDuration in milliseconds
   */
  async increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord> {
    const windowMs = Math.max(1, Math.ceil(ttl));
    const most = Math.floor(limit);
    if (most < 1)
      return { totalHits: 1, timeToExpire: seconds(windowMs), isBlocked: true, timeToBlockExpire: seconds(windowMs) };
    // One unit, taken by whoever exceeds the limit, that comes back after the time of the block.
    const blocks =
      blockDuration > 0 && blockDuration !== ttl
        ? this.ruleFor('throttler-block', throttlerName, 1, Math.ceil(blockDuration))
        : undefined;
    const blocked = blocks && (await this.limiter.consume(blocks, key, { cost: 0 }));
    if (blocked?.allowed === false) return refused(most, windowMs, blocked.retryAfterMs);
    const decision = await this.limiter.consume(this.ruleFor('throttler', throttlerName, most, windowMs), key);
    const [window] = decision.windows;
    const resetMs = window?.resetMs ?? windowMs;
    if (decision.allowed) {
      const totalHits = most - Math.floor(window?.remaining ?? most);
      return { totalHits, timeToExpire: seconds(resetMs), isBlocked: false, timeToBlockExpire: 0 };
    }
    if (!blocks) return refused(most, resetMs, decision.retryAfterMs);
    await this.limiter.consume(blocks, key);
    return refused(most, resetMs, blockDuration);
  }

  private ruleFor(what: 'throttler' | 'throttler-block', throttlerName: string, limit: number, windowMs: number) {
    const id = `${what}:${limit}:${windowMs}:${throttlerName}`;
    let rule = this.rules.get(id);
    if (!rule) {
      // A limit may be a function of the request, and so one of very many.
      if (this.rules.size >= MOST_RULES) this.rules = new Map();
      this.rules.set(id, (rule = { name: nameOf(what, throttlerName), windows: [{ limit, windowMs }] }));
    }
    return rule;
  }
}

function nameOf(what: string, throttlerName: string): string {
  return `${what}:${throttlerName.replace(/[^\w.:@/-]/g, '_').slice(0, 80)}`;
}

function refused(limit: number, resetMs: number, waitMs: number): ThrottlerRecord {
  return { totalHits: limit + 1, timeToExpire: seconds(resetMs), isBlocked: true, timeToBlockExpire: seconds(waitMs) };
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}
