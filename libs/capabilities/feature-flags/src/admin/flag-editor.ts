import { FlagFileError } from '../errors.js';
import { withRollout } from '../evaluation/rollout.js';
import type { FeatureFlags } from '../feature-flags.js';
import type { FlagDefinition, FlagValue } from '../flag-document.js';
import type { FlagHistoryEntry, FlagSnapshot } from '../flag-store.js';
import { checkFlagDocument } from '../evaluation/validate.js';
import { FlagConflictError } from '../stores/errors.js';
import { isStored, storeOf } from '../stores/store-of.js';
import { FlagEditError, UnknownFlagError } from './errors.js';

/** A flag, and where its definition is from. */
export interface ListedFlag {
  readonly flag: string;
  /** The configuration's definitions are in force where the store has none of that name. */
  readonly source: 'store' | 'configuration';
  readonly definition: FlagDefinition;
}

export interface ListedFlags {
  readonly version: number;
  readonly flags: readonly ListedFlag[];
}

/** What became of an edit. */
export interface Edited {
  readonly version: number;
  readonly flag: string;
  readonly from: FlagDefinition | null;
  readonly to: FlagDefinition | null;
}

/**
 * Makes the new definition of the one that is in force; `null` removes it.
 * @param known names of all flags
 */
export type Edit = (now: FlagDefinition | undefined, flag: string, known: readonly string[]) => FlagDefinition | null;

export interface EditOptions {
  /** Who makes it. */
  readonly by: string;
  readonly ifVersion?: number;
  /** Checks everything and changes nothing. */
  readonly dryRun?: boolean;
}

/** Between reading and changing somebody else may come first so often. */
const ATTEMPTS = 20;

/** Shows and changes flags, for the command line and the admin module alike. */
export class FlagEditor {
  constructor(private readonly flags: FeatureFlags) {}

  async list(): Promise<ListedFlags> {
    const { version, document } = await this.stored();
    const all = { ...this.flags.definitions().flags, ...document.flags };
    const flags = Object.entries(all)
      .map(([flag, definition]) => ({ flag, source: sourceOf(flag, document), definition }))
      .sort((a, b) => (a.flag < b.flag ? -1 : 1));
    return { version, flags };
  }

  /** @throws UnknownFlagError */
  async get(flag: string): Promise<ListedFlag & { readonly version: number }> {
    const { version, flags } = await this.list();
    const found = flags.find(listed => listed.flag === flag);
    if (!found)
      throw new UnknownFlagError(
        flag,
        flags.map(listed => listed.flag),
      );
    return { ...found, version };
  }

  /**
   * Changes a flag on top of what is there, again where somebody else was first and no version was asked for.
   * @throws FlagConflictError when `ifVersion` is no longer the newest
   * @throws InvalidFlagsError when the flags would not be valid with it
   * @throws FlagsReadOnlyError where flags are not stored
   */
  async edit(flag: string, edit: Edit, { by, ifVersion, dryRun = false }: EditOptions): Promise<Edited> {
    const store = storeOf(this.flags);
    for (let attempt = 1; ; attempt += 1) {
      const { version, document } = await this.stored();
      if (ifVersion !== undefined && ifVersion !== version) throw new FlagConflictError(flag, ifVersion, version);
      const under = this.flags.definitions().flags;
      const known = Object.keys({ ...under, ...document.flags });
      const from = own(document.flags, flag);
      const to = edit(from ?? own(under, flag), flag, known);
      if (to === null && from === undefined) throw cannotRemove(flag, known);
      if (dryRun) {
        const { [flag]: _, ...others } = document.flags;
        const flags = to === null ? others : { ...others, [flag]: to };
        checkFlagDocument({ ...document, flags }, { source: 'the change', under });
        return { version, flag, from: from ?? null, to };
      }
      try {
        const done = await store.change({ flag, to, by, ifVersion: version });
        return { version: done.version, flag, from: from ?? null, to };
      } catch (error) {
        if (!(error instanceof FlagConflictError) || ifVersion !== undefined || attempt === ATTEMPTS) throw error;
      }
    }
  }

  history(options: { flag?: string; limit?: number }): Promise<readonly FlagHistoryEntry[]> {
    return storeOf(this.flags).history(options);
  }

  private async stored(): Promise<FlagSnapshot> {
    if (!isStored(this.flags)) return { version: this.flags.version, document: { flags: {} } };
    try {
      return await storeOf(this.flags).read();
    } catch (error) {
      // The file comes with the first flag.
      if (!(error instanceof FlagFileError) || (error.cause as { code?: string }).code !== 'ENOENT') throw error;
      return { version: 0, document: { flags: {} } };
    }
  }
}

/** Switches a flag on or off as a whole: off, every caller gets its own fallback. */
export function setState(state: FlagDefinition['state']): Edit {
  return existing(now => ({ ...now, state }));
}

/** A boolean flag that is on for so many percent of users: those who are in stay in while the percentage grows. */
export function setRollout(percent: number): Edit {
  return existing((now, flag) => {
    // Rules that give no place for a percentage would be lost.
    if (!canHoldRollout(now.targeting))
      throw new FlagEditError(
        `The rules of ${JSON.stringify(flag)} have no place for a percentage.`,
        'Write them as { "if": [condition, "on", …] }, or define the flag anew with a "fractional".',
      );
    try {
      return withRollout(now, percent);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new FlagEditError(error.message, '', { cause: error });
    }
  });
}

/** What whoever no rule decides for gets: a variant by its name or its value. A flag that is not there becomes one of `true` and `false`. */
export function setDefault(wanted: string): Edit {
  return (now, flag, known) => {
    const isBoolean = wanted === 'true' || wanted === 'false' || wanted === 'on' || wanted === 'off';
    if (!now && isBoolean) return switchOf(wanted === 'true' || wanted === 'on');
    if (!now) throw new UnknownFlagError(flag, known);
    const name = variantOf(now.variants, wanted);
    if (name !== undefined) return { ...now, defaultVariant: name };
    const names = Object.keys(now.variants).join(', ');
    throw new FlagEditError(
      `The flag ${JSON.stringify(flag)} has no variant ${JSON.stringify(wanted)}.`,
      `It has ${names}.`,
    );
  };
}

export function replaceBy(definition: FlagDefinition): Edit {
  return () => definition;
}

export const remove: Edit = () => null;

function canHoldRollout(targeting: unknown): boolean {
  if (typeof targeting !== 'object' || targeting === null || Object.keys(targeting).length === 0) return true;
  return 'if' in targeting || JSON.stringify(targeting).includes('"fractional":');
}

function existing(edit: (now: FlagDefinition, flag: string) => FlagDefinition): Edit {
  return (now, flag, known) => {
    if (!now) throw new UnknownFlagError(flag, known);
    return edit(now, flag);
  };
}

function switchOf(on: boolean): FlagDefinition {
  return { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: on ? 'on' : 'off' };
}

function variantOf(variants: Readonly<Record<string, FlagValue>>, wanted: string): string | undefined {
  if (Object.hasOwn(variants, wanted)) return wanted;
  return Object.keys(variants).find(name => String(variants[name]) === wanted);
}

function own<T>(of: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

function sourceOf(flag: string, { flags }: FlagSnapshot['document']): ListedFlag['source'] {
  return Object.hasOwn(flags, flag) ? 'store' : 'configuration';
}

function cannotRemove(flag: string, known: readonly string[]): Error {
  if (!known.includes(flag)) return new UnknownFlagError(flag, known);
  return new FlagEditError(
    `The flag ${JSON.stringify(flag)} is of the configuration, and not in the store.`,
    'Remove it from featureFlags.flags, or disable it.',
  );
}
