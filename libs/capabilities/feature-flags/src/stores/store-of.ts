import type { FeatureFlags } from '../feature-flags.js';
import type { FlagDefinition } from '../flag-document.js';
import type { FlagStore } from '../flag-store.js';
import { FlagsReadOnlyError } from './errors.js';

/** Where the flags of a `FeatureFlags` are kept. */
export interface KeptBy {
  /** Name of the driver. */
  readonly driver: string;
  /** Flags of the configuration, in force where the store has none of that name. */
  readonly defaults: () => Readonly<Record<string, FlagDefinition>>;
  /** Left out where changes would not outlive the process. */
  readonly store?: FlagStore;
}

const stores = new WeakMap<FeatureFlags, KeptBy>();

/** To be called once, by the driver that made the flags. */
export function rememberStore(flags: FeatureFlags, keptBy: KeptBy): void {
  stores.set(flags, keptBy);
}

/** Flags of the configuration, whether or not the store has others of their names. */
export function defaultsOf(flags: FeatureFlags): Readonly<Record<string, FlagDefinition>> {
  return stores.get(flags)?.defaults() ?? {};
}

/** Whether flags can be changed and have a history. */
export function isStored(flags: FeatureFlags): boolean {
  return stores.get(flags)?.store !== undefined;
}

/**
 * The store behind flags, to change them and to read their history.
 * @throws FlagsReadOnlyError where the driver keeps none
 */
export function storeOf(flags: FeatureFlags): FlagStore {
  const { driver = 'unknown', store } = stores.get(flags) ?? {};
  if (!store) throw new FlagsReadOnlyError(driver);
  return store;
}
