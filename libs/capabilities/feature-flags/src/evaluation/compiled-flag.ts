import type { EvaluationContext } from '@openfeature/core';
import type { FeatureFlag } from '@openfeature/flagd-core';
import type { ContextFields } from '@core-infra/kernel';
import type { FlagContext } from '../feature-flags.js';
import type { FlagDefinition } from '../flag-document.js';
import type { ContextBuilder } from './attributes.js';
import { type FastRule, fastRule, type OutcomeOf } from './fast-rules.js';
import { disabled, noDefault, noVariant, type Outcome, prerequisiteFailed } from './outcome.js';
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
    const { reason, variant } = this.flagd.evaluate(this.contexts.build({ passed, request }) as EvaluationContext);
    if (reason === 'ERROR') return noVariant;
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
      const outcome = known.get(id);
      if (outcome) return outcome;
      const { variants } = this.definition;
      // Not remembered, and not named: what rules came to may be what a caller sent.
      if (!Object.hasOwn(variants, variant)) return noVariant;
      const made: Outcome = { value: variants[variant], variant, reason };
      known.set(id, made);
      return made;
    };
  }
}
