import type { Logger } from '@nestjs/common';
import type { AppInfo, CheckResult, Clock, RequestContext } from '@core-infra/kernel';
import { reasonOf } from '@core-infra/kernel';
import { isDeepStrictEqual } from 'node:util';
import { flagUsage, type FlagUsage } from '../events/usage.js';
import { FeatureFlags, type FlagContext, type FlagDetails, type FlagsChange } from '../feature-flags.js';
import type { FlagDefinition, FlagDocument, FlagValue } from '../flag-document.js';
import type { FlagSnapshot } from '../flag-store.js';
import type { Answer, FlagKey, ValueOf } from '../flag-types.js';
import { ContextBuilder } from './attributes.js';
import type { CompiledFlag } from './compiled-flag.js';
import { compileFlags, type FlagSet } from './flag-set.js';
import { checkFlagDocument } from './validate.js';
import { OnceLogger, printable } from './once-logger.js';
import { noVariant, type Outcome, unknownFlag } from './outcome.js';

export interface FlagEngineOptions {
  readonly id: string;
  readonly logger: Logger;
  readonly context: RequestContext;
  readonly clock: Clock;
  readonly app: AppInfo;
  /** Flags that are in force where the store has none of that name. */
  readonly defaults: Readonly<Record<string, FlagDefinition>>;
}

const nothing: FlagDocument = { flags: {} };

/** The process's own copy of all flags, and their evaluation. */
export class FlagEngine extends FeatureFlags {
  private readonly contexts: ContextBuilder;
  private readonly complaints: OnceLogger;
  private readonly listeners = new Set<(change: FlagsChange) => void>();
  private defaults: Readonly<Record<string, FlagDefinition>>;
  private overrides: Readonly<Record<string, FlagDefinition>> = {};
  private snapshot: FlagSnapshot = { version: 0, document: nothing };
  private set: FlagSet;
  private appliedAt: number;
  private refusal: string | undefined;

  constructor(private readonly options: FlagEngineOptions) {
    super();
    this.contexts = new ContextBuilder(options.app, options.clock);
    this.complaints = new OnceLogger(options.logger);
    this.defaults = options.defaults;
    this.set = compileFlags(nothing, this.defaults, this.contexts);
    this.appliedAt = options.clock.monotonic();
  }

  get version(): number {
    return this.snapshot.version;
  }

  isEnabled(flag: string, context?: FlagContext, fallback: boolean = false): boolean {
    const outcome = this.outcomeOf(flag, context);
    const { value } = outcome;
    if (value === true || value === false) return value;
    if (value !== undefined) this.complainOfType(flag, 'boolean', value);
    return fallback;
  }

  variant(flag: string, context?: FlagContext): string | undefined;
  variant(flag: string, context: FlagContext | undefined, fallback: string): string;
  variant(flag: string, context?: FlagContext, fallback?: string): string | undefined {
    return this.outcomeOf(flag, context).variant ?? fallback;
  }

  value<Key extends FlagKey, Fallback extends ValueOf<Key>>(
    flag: Key,
    fallback: Fallback,
    context?: FlagContext,
  ): Answer<Key, Fallback> {
    const { value } = this.outcomeOf(flag, context);
    if (value === undefined) return fallback as Answer<Key, Fallback>;
    if (isOfType(value, fallback)) return value as Answer<Key, Fallback>;
    this.complainOfType(flag, typeof fallback, value);
    return fallback as Answer<Key, Fallback>;
  }

  details<Key extends FlagKey, Fallback extends ValueOf<Key>>(
    flag: Key,
    fallback: Fallback,
    context?: FlagContext,
  ): FlagDetails<Answer<Key, Fallback>> {
    const { version } = this.snapshot;
    const metadata = this.set.flags.get(flag)?.metadata ?? this.set.document.metadata ?? {};
    const outcome = this.outcomeOf(flag, context);
    const isOfItsType = outcome.value === undefined || isOfType(outcome.value, fallback);
    const answered = isOfItsType ? outcome : mismatch(outcome.value, fallback);
    if (!isOfItsType) this.complainOfType(flag, typeof fallback, outcome.value);
    const value = (answered.value ?? fallback) as Answer<Key, Fallback>;
    return { flag, version, metadata, ...answered, value };
  }

  definitions(): FlagDocument {
    return this.set.document;
  }

  onChange(listener: (change: FlagsChange) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Puts a set, which was validated, in force. */
  apply(snapshot: FlagSnapshot): void {
    this.refusal = undefined;
    this.appliedAt = this.options.clock.monotonic();
    this.replace(snapshot, this.defaults);
  }

  /**
   * Puts other defaults in force.
   * @throws InvalidFlagsError when they do not go together with the flags of the store, e.g. lack one that these require
   */
  applyDefaults(defaults: Readonly<Record<string, FlagDefinition>>): void {
    checkFlagDocument(this.snapshot.document, { source: 'the configuration', under: defaults });
    this.replace(this.snapshot, defaults);
  }

  /**
   * Puts flags over all others, for as long as nobody puts other ones there.
   * @throws InvalidFlagsError
   */
  override(overrides: Readonly<Record<string, FlagDefinition>>): void {
    const { flags } = this.snapshot.document;
    checkFlagDocument({ flags: overrides }, { source: 'overrideFlags', under: { ...this.defaults, ...flags } });
    this.overrides = overrides;
    this.replace(this.snapshot, this.defaults);
  }

  /** Flags of the configuration, in force where the store has none of that name. */
  get configured(): Readonly<Record<string, FlagDefinition>> {
    return this.defaults;
  }

  get overridden(): Readonly<Record<string, FlagDefinition>> {
    return this.overrides;
  }

  /** A set was refused: the one before stays in force, and health says so until another one is good. */
  refuse(error: unknown): void {
    this.refusal = reasonOf(error);
  }

  health(): CheckResult {
    return {
      version: this.version,
      flags: this.set.flags.size,
      ageMs: Math.round(this.options.clock.monotonic() - this.appliedAt),
      ...(this.refusal === undefined ? {} : { degraded: `the last flags were refused: ${this.refusal}` }),
    };
  }

  private replace(snapshot: FlagSnapshot, defaults: Readonly<Record<string, FlagDefinition>>): void {
    const before = this.set.document.flags;
    const { document } = snapshot;
    const whole = { ...document, flags: { ...document.flags, ...this.overrides } };
    this.set = compileFlags(whole, defaults, this.contexts);
    this.snapshot = snapshot;
    this.defaults = defaults;
    const after = this.set.document.flags;
    const flags = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      key => !isDeepStrictEqual(before[key], after[key]),
    );
    if (flags.length === 0) return;
    for (const listener of this.listeners) listener({ version: snapshot.version, flags });
  }

  private outcomeOf(key: string, context: FlagContext | undefined): Outcome {
    const flag = this.set.flags.get(key);
    if (flag === undefined) return this.unknown(key);
    const outcome = flag.constant ?? this.resolve(flag, context);
    if (flagUsage.hasSubscribers) this.publish(key, outcome);
    if (outcome.reason === 'ERROR')
      this.complaints.warn('failed', key, `The flag ${printable(key)} cannot be evaluated: ${outcome.errorMessage}`);
    return outcome;
  }

  private resolve(flag: CompiledFlag, context: FlagContext | undefined): Outcome {
    try {
      return flag.resolve(context, this.options.context.current);
    } catch {
      return noVariant; // an attribute that throws when it is read is the caller's, and so may be what it throws
    }
  }

  private unknown(key: string): Outcome {
    if (flagUsage.hasSubscribers) this.publish('unknown', unknownFlag);
    this.complaints.warn('unknown', key, `There is no flag ${printable(key)}: the fallback is used`);
    return unknownFlag;
  }

  private publish(flag: string, { variant = 'none', reason }: Outcome): void {
    const usage: FlagUsage = { connection: this.options.id, flag, variant, reason };
    flagUsage.publish(usage);
  }

  private complainOfType(flag: string, wanted: string, value: FlagValue | undefined): void {
    const message = `The flag ${printable(flag)} is a ${typeof value}, and a ${wanted} was asked for: the fallback is used`;
    this.complaints.warn('type', flag, message);
  }
}

function mismatch(value: FlagValue | undefined, fallback: unknown): Outcome {
  const errorMessage = `the flag is a ${typeof value}, and a ${typeof fallback} was asked for`;
  return { value: undefined, variant: undefined, reason: 'ERROR', errorCode: 'TYPE_MISMATCH', errorMessage };
}

/** A fallback that is `undefined` or `null`, which only untyped callers have, takes any value. */
function isOfType(value: FlagValue, fallback: unknown): boolean {
  return fallback === undefined || fallback === null || typeof value === typeof fallback;
}
