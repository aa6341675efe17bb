import { channel } from 'node:diagnostics_channel';
import type { FlagReason } from '../feature-flags.js';

/** A flag was evaluated. Its fields are labels of a bounded set: names and variants are those of the definitions. */
export interface FlagUsage {
  /** `feature-flags`, or `feature-flags:<name>`. */
  readonly connection: string;
  /** `unknown` for one that is not defined. */
  readonly flag: string;
  /** `none` where the caller's fallback was the answer. */
  readonly variant: string;
  readonly reason: FlagReason;
}

/** One message for each evaluation, a {@link FlagUsage}. Without a subscriber it costs nothing. */
export const flagUsage = channel('infra:feature-flags:evaluation');
