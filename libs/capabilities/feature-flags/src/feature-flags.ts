import type { FlagDocument, FlagValue } from './flag-document.js';
import type { Answer, BooleanFlagKey, FlagKey, ValueOf } from './flag-types.js';

/**
 * Who asks, for the rules of a flag. What is left out comes from the running request: `targetingKey` is its `userId`, and `userId` and
 * `tenantId` are its own. `app` is this service (`app.name`, `app.version`, `app.environment`). The rest is the caller's: `roles`, `email`, …
 */
export interface FlagContext {
  /** What percentages tell users apart by. Empty for nobody in particular: then a percentage gives the default variant. */
  readonly targetingKey?: string;
  readonly [attribute: string]: unknown;
}

/**
 * Why a flag has its value. `STATIC`: it has no rules. `TARGETING_MATCH`: a rule decided. `SPLIT`: a percentage did. `DEFAULT`: no rule did.
 * `DISABLED`: it is switched off. `PREREQUISITE_FAILED`: a flag that it requires is not on. `ERROR`: see `errorCode`.
 */
export type FlagReason =
  'STATIC' | 'TARGETING_MATCH' | 'SPLIT' | 'DEFAULT' | 'DISABLED' | 'PREREQUISITE_FAILED' | 'ERROR';

/** As OpenFeature names them. */
export type FlagErrorCode = 'FLAG_NOT_FOUND' | 'TYPE_MISMATCH' | 'GENERAL';

/** A flag's value and how it came about. */
export interface FlagDetails<T = FlagValue> {
  readonly flag: string;
  readonly value: T;
  /** Name of the variant; `undefined` where the value is the caller's fallback. */
  readonly variant: string | undefined;
  readonly reason: FlagReason;
  /** Of the set of flags that was asked; 0 for the configuration's. */
  readonly version: number;
  readonly errorCode?: FlagErrorCode;
  readonly errorMessage?: string;
  /** The flag's own, over those of the set. */
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
}

/** Another set of flags is in force, and it differs. */
export interface FlagsChange {
  readonly version: number;
  /** Flags that were added, removed or defined anew. */
  readonly flags: readonly string[];
}

/**
 * Feature flags. Every answer is given at once, from the process's own copy, and none throws: a flag that is unknown, switched off
 * or of another type is the caller's fallback, with one log line for an unknown name or a wrong type.
 */
export abstract class FeatureFlags {
  /** @param fallback where there is no value. @default false */
  abstract isEnabled(flag: BooleanFlagKey, context?: FlagContext, fallback?: boolean): boolean;

  /** The name of the variant. @param fallback where there is none. @default undefined */
  abstract variant(flag: FlagKey, context?: FlagContext): string | undefined;
  abstract variant(flag: FlagKey, context: FlagContext | undefined, fallback: string): string;

  /** The value, of the fallback's type. Objects are read-only. */
  abstract value<Key extends FlagKey, Fallback extends ValueOf<Key>>(
    flag: Key,
    fallback: Fallback,
    context?: FlagContext,
  ): Answer<Key, Fallback>;

  /** The value and why it is that. */
  abstract details<Key extends FlagKey, Fallback extends ValueOf<Key>>(
    flag: Key,
    fallback: Fallback,
    context?: FlagContext,
  ): FlagDetails<Answer<Key, Fallback>>;

  /** The definitions in force, those of the configuration included; read-only. */
  abstract definitions(): FlagDocument;

  /** Of the set in force: it grows with each change of the store; 0 while the configuration alone decides. */
  abstract readonly version: number;

  /** Calls back whenever a set is in force that differs from the one before. @returns a function that ends it */
  abstract onChange(listener: (change: FlagsChange) => void): () => void;
}
