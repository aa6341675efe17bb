/** So many per window: `{ limit: 10, windowMs: 1_000 }`. Up to `limit` at once; then one every `windowMs / limit`. */
export interface LimitWindow {
  /** A whole number, at least 1. */
  readonly limit: number;
  /** In milliseconds, a whole number; no two windows of a rule have the same. */
  readonly windowMs: number;
}

/** What happens while the store is away: a limit per process, everything passes, or nothing does. */
export type FailurePolicy = 'local' | 'open' | 'closed';

/**
 * A limit with all its windows; a request passes when all of them let it pass. It is checked once, so a rule is not to be changed but
 * replaced. What was counted belongs to the name and the lengths of the windows: a rule with another `limit` goes on from there.
 */
export interface LimitRule {
  /** Names the limit in keys, headers and events; from a small fixed set. At most 100 of `A-Z a-z 0-9 _ . : / @ -`. */
  readonly name: string;
  readonly windows: readonly LimitWindow[];
  /** @default rateLimit.onFailure */
  readonly onFailure?: FailurePolicy;
}

export interface WindowState extends LimitWindow {
  /** How many more would pass now. */
  readonly remaining: number;
  /** Until all of the window is there again, in milliseconds. */
  readonly resetMs: number;
}

export interface Decision {
  readonly allowed: boolean;
  /** When the same request would pass, in milliseconds from now; 0 when it is allowed, `Infinity` when it never will (cost above the limit). */
  readonly retryAfterMs: number;
  /** In the order of the rule's windows. */
  readonly windows: readonly WindowState[];
  /** Who decided: the store, this process alone, what it remembered of an offender, or the failure policy. */
  readonly by: 'memory' | 'redis' | 'remembered' | 'local' | 'open' | 'closed';
}

export interface ConsumeOptions {
  /** How many units it takes; 0 asks whether one would pass, and takes nothing. @default 1 */
  cost?: number;
}

/** Decides whether a caller may go on. It never throws for the store's sake: the rule's failure policy decides. */
export abstract class RateLimiter {
  /**
   * Takes `cost` units from all windows of the rule, or from none.
   * @param key who is limited: an address, a user; any string
   * @throws InvalidLimitError when the rule or the cost makes no sense, whatever the store
   */
  abstract consume(rule: LimitRule, key: string, options?: ConsumeOptions): Promise<Decision>;
  /** Gives a key all its units back: here at once, in the store as soon as it can be reached, in other processes within `rememberMs`. */
  abstract reset(rule: LimitRule, key: string): Promise<void>;
}
