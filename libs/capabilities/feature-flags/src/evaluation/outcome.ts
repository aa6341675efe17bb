import type { FlagErrorCode, FlagReason } from '../feature-flags.js';
import type { FlagValue } from '../flag-document.js';

/** What the evaluation of a flag comes to. One object for each variant and reason, made when the flag is compiled. */
export interface Outcome {
  /** `undefined` asks for the caller's fallback. */
  readonly value: FlagValue | undefined;
  readonly variant: string | undefined;
  readonly reason: FlagReason;
  readonly errorCode?: FlagErrorCode;
  readonly errorMessage?: string;
}

export const disabled: Outcome = { value: undefined, variant: undefined, reason: 'DISABLED' };
export const prerequisiteFailed: Outcome = { value: undefined, variant: undefined, reason: 'PREREQUISITE_FAILED' };
export const noDefault: Outcome = { value: undefined, variant: undefined, reason: 'DEFAULT' };
export const unknownFlag: Outcome = {
  value: undefined,
  variant: undefined,
  reason: 'ERROR',
  errorCode: 'FLAG_NOT_FOUND',
  errorMessage: 'there is no such flag',
};
/** One for all, without what the rules came to: that may be what a caller sent. */
export const noVariant: Outcome = {
  value: undefined,
  variant: undefined,
  reason: 'ERROR',
  errorCode: 'GENERAL',
  errorMessage: 'its rules fail for who asks, or come to something that is no variant of it',
};
