import { channel, type Channel } from 'node:diagnostics_channel';
import type { Decision } from '../rate-limiter.js';

/** A decision, on the channel `infra:rate-limit:decision`. Never the caller. */
export interface RateLimitDecision {
  /** The limiter's id: `rate-limit`, `rate-limit:partners`. */
  readonly connection: string;
  /** Name of the limit; `other` from the 201st name on, so that labels stay bounded. */
  readonly limit: string;
  readonly allowed: boolean;
  /** `local`, `open` and `closed` say that the store was away. */
  readonly by: Decision['by'];
}

/** One message per decision. Without a subscriber a decision costs nothing more. */
export const rateLimitDecisions: Channel<RateLimitDecision, unknown> = channel('infra:rate-limit:decision');

const MOST_NAMES = 200;

/** Tells of the decisions of one limiter. */
export class DecisionEvents {
  private readonly names = new Set<string>();

  constructor(private readonly connection: string) {}

  publish(name: string, decision: Decision): Decision {
    if (rateLimitDecisions.hasSubscribers) {
      const { allowed, by } = decision;
      rateLimitDecisions.publish({ connection: this.connection, limit: this.labelOf(name), allowed, by });
    }
    return decision;
  }

  private labelOf(name: string): string {
    if (this.names.has(name)) return name;
    if (this.names.size >= MOST_NAMES) return 'other';
    this.names.add(name);
    return name;
  }
}
