import type { EvaluationContext } from '@openfeature/core';
import type { FeatureFlag } from '@openfeature/flagd-core';
import type { ContextFields } from '@core-infra/kernel';
import type { FlagContext, FlagErrorCode } from '../feature-flags.js';
import type { FlagDefinition } from '../flag-document.js';
import type { ContextBuilder } from './attributes.js';
import { type FastRule, fastRule, type OutcomeOf } from './fast-rules.js';
import { disabled, noDefault, type Outcome, prerequisiteFailed } from './outcome.js';
import { prerequisitesOf } from './prerequisites.js';

type Request = Readonly<ContextFields> | undefined;

/** What is asked for: the flag's own answer, its prerequisites aside. */
type Rule = (passed: FlagContext | undefined, request: Request) => Outcome;

/** A flag, ready to be evaluated. */
export class CompiledFlag {
  /** The outcome for everybody, where it is the same one. */
  readonly constant: Outcome | undefined;
  private readonly rule: Rule;
  private readonly requires: { readonly flag: CompiledFlag; readonly variant: string | undefined }[] = [];

  constructor(
    readonly key: string,
    private readonly definition: FlagDefinition,
    private readonly flagd: FeatureFlag,
    private readonly contexts: ContextBuilder,
  ) {
    const { state, targeting } = definition;
    const outcomeOf = this.outcomes();
    const fallback = this.defaultOutcome('DEFAULT');
    const isStatic = typeof targeting !== 'object' || targeting === null || Object.keys(targeting).length === 0;
    if (state === 'DISABLED') this.constant = disabled;
    else if (isStatic && prerequisitesOf(definition).length === 0) this.constant = this.defaultOutcome('STATIC');
    const fast: FastRule | undefined = isStatic ? undefined : fastRule(key, targeting, outcomeOf);
    if (isStatic) {
      const outcome = this.defaultOutcome('STATIC');
      this.rule = () => outcome;
    } else if (fast) this.rule = (passed, request) => fast(passed, request) ?? fallback;
    else this.rule = (passed, request) => this.evaluate(passed, request, outcomeOf, fallback);
  }

  get metadata(): Readonly<Record<string, string | number | boolean>> {
    return this.flagd.metadata as Readonly<Record<string, string | number | boolean>>;
  }

  /** Once all flags are compiled. */
  link(flags: ReadonlyMap<string, CompiledFlag>): void {
    for (const { flag, variant } of prerequisitesOf(this.definition)) {
      const required = flags.get(flag);
      if (required) this.requires.push({ flag: required, variant });
    }
  }

  resolve(passed: FlagContext | undefined, request: Request): Outcome {
    if (this.constant !== undefined) return this.constant;
    for (const { flag, variant } of this.requires) {
      const outcome = flag.resolve(passed, request);
      if (variant === undefined ? outcome.value !== true : outcome.variant !== variant) return prerequisiteFailed;
    }
    return this.rule(passed, request);
  }

  private evaluate(
    passed: FlagContext | undefined,
    request: Request,
    outcomeOf: OutcomeOf,
    fallback: Outcome,
  ): Outcome {
    const { reason, variant, ...rest } = this.flagd.evaluate(
      this.contexts.build({ passed, request }) as EvaluationContext,
    );
    if (reason === 'ERROR') {
      const { errorCode, errorMessage } = rest as { errorCode: FlagErrorCode; errorMessage: string };
      return { value: undefined, variant: undefined, reason: 'ERROR', errorCode, errorMessage };
    }
    return reason === 'DEFAULT' || variant === undefined ? fallback : outcomeOf(variant, 'TARGETING_MATCH');
  }

  private defaultOutcome(reason: 'STATIC' | 'DEFAULT'): Outcome {
    const variant = this.definition.defaultVariant || undefined;
    return variant === undefined ? noDefault : { value: this.definition.variants[variant], variant, reason };
  }

  private outcomes(): OutcomeOf {
    const known = new Map<string, Outcome>();
    return (variant, reason) => {
      const id = `${reason} ${variant}`;
      let outcome = known.get(id);
      if (!outcome) known.set(id, (outcome = this.outcomeOf(variant, reason)));
      return outcome;
    };
  }

  /** A variant that does not exist is an error when it is hit, as it is for flagd; without a default it is no value. */
  private outcomeOf(variant: string, reason: 'TARGETING_MATCH' | 'SPLIT'): Outcome {
    const { variants } = this.definition;
    if (Object.hasOwn(variants, variant)) return { value: variants[variant], variant, reason };
    const errorMessage = `Variant '${variant}' not found in flag with key '${this.key}'`;
    return { value: undefined, variant: undefined, reason: 'ERROR', errorCode: 'GENERAL', errorMessage };
  }
}
