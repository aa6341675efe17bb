import type { CheckedRule } from '../gcra/limit-rule.js';
import type { StoreAnswer } from '../gcra/process-limits.js';

/** What is asked for one caller. */
export interface Request {
  readonly key: string;
  /** 0 asks whether one would pass. */
  readonly cost: number;
}

/** Counts for all processes. What it is asked settles within the time-out, and it says at once when it cannot be asked. */
export interface LimitStore {
  readonly isAvailable: boolean;
  /** Whether keys of several callers may be asked for together: not where they live in different places. */
  readonly mixesKeys: boolean;
  /** Requests of one rule; the answers are in their order. */
  consume(rule: CheckedRule, requests: readonly Request[]): Promise<readonly StoreAnswer[]>;
  forget(key: string): Promise<void>;
  /** Whether the error only says that the store is away, which is told by `onChange`. */
  isAway(error: unknown): boolean;
  /** @returns a function that ends it */
  onChange(listener: (available: boolean) => void): () => void;
}
