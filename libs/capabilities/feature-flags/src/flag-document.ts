/** A flag as flagd defines it (https://flagd.dev/reference/flag-definitions/). */
export interface FlagDefinition {
  state: 'ENABLED' | 'DISABLED';
  variants: Record<string, FlagValue>;
  defaultVariant?: string | null;
  /** Rules in JsonLogic with flagd's own operations (`fractional`, `sem_ver`, `starts_with`, …). */
  targeting?: unknown;
  metadata?: Record<string, string | number | boolean>;
}

export type FlagValue = boolean | string | number | { [key: string]: unknown } | unknown[];

/** A set of flags, as a file or Redis holds it. */
export interface FlagDocument {
  flags: Record<string, FlagDefinition>;
  $evaluators?: Record<string, unknown>;
  metadata?: Record<string, string | number | boolean>;
}
