/** A flag as flagd defines it (https://flagd.dev/reference/flag-definitions/). */
export interface FlagDefinition {
  state: 'ENABLED' | 'DISABLED';
  variants: Record<string, FlagValue>;
  defaultVariant?: string | null;
  /** Rules in JsonLogic with flagd's own operations (`fractional`, `sem_ver`, `starts_with`, …). */
  targeting?: unknown;
  /** `requires` names flags that must be on for this one: `"payments"`, `"payments, theme=dark"`. The rest is the user's own. */
  metadata?: Record<string, string | number | boolean>;
}

export type FlagValue = boolean | string | number | { [key: string]: unknown } | unknown[];

/** A set of flags, as a file or Redis holds it. */
export interface FlagDocument {
  flags: Record<string, FlagDefinition>;
  $evaluators?: Record<string, unknown>;
  metadata?: Record<string, string | number | boolean>;
}

/** A flag that is on for some users: the short form of the commonest definition. */
export interface RolloutSetting {
  /** Share of users for whom it is on, in percent, from 0 to 100, with up to three decimals. @default 0 */
  rollout?: number;
  /** Targeting keys for which it is on in any case. */
  users?: readonly string[];
  /** It is on for whoever has one of these in the attribute `roles`, a list. */
  roles?: readonly string[];
  /** Flags that must be on for this one: `"payments"`, `"payments, theme=dark"`. */
  requires?: string;
}

/** A flag in the configuration: a value for everybody, a {@link RolloutSetting}, or flagd's own definition. */
export type FlagSetting = boolean | string | number | RolloutSetting | FlagDefinition;
