import { FlagFileError } from '../errors.js';
import type { FeatureFlags } from '../feature-flags.js';
import type { FlagDefinition, FlagDocument } from '../flag-document.js';
import type { OpenText } from '../evaluation/places.js';
import { resolved } from '../evaluation/references.js';
import type { FlagHistoryEntry, FlagSnapshot } from '../flag-store.js';
import { checkFlagDocument, parseFlagDocument } from '../evaluation/validate.js';
import { type Difference, differences, withChanges } from '../stores/differences.js';
import { FlagConflictError } from '../stores/errors.js';
import { defaultsOf, isStored, storeOf } from '../stores/store-of.js';
import type { Edit } from './edits.js';
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

/** What became of a document. */
export interface Imported {
  readonly version: number;
  /** Flags that became others, were added or removed. */
  readonly changes: readonly Difference[];
}

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
    const all = { ...defaultsOf(this.flags), ...document.flags };
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
      const under = defaultsOf(this.flags);
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

  /**
   * What the store holds.
   * @param all with the flags of the configuration that the store has none of that name of
   */
  async export(all: boolean): Promise<FlagDocument> {
    const { document } = await this.stored();
    return all ? { ...document, flags: { ...defaultsOf(this.flags), ...document.flags } } : document;
  }

  /**
   * Takes all flags of a text as one change, or none. Shared rules are written where they are referred to, so that the history tells the whole rule.
   * @param open how the text is read
   * @param prune removes what the store has and the text does not
   * @throws InvalidFlagsError with the places in the text; else as `edit` does
   */
  async import(
    { text, source, open, prune }: { text: string; source: string; open?: OpenText; prune: boolean },
    { by, ifVersion, dryRun = false }: EditOptions,
  ): Promise<Imported> {
    const store = storeOf(this.flags);
    for (let attempt = 1; ; attempt += 1) {
      const { version, document: now } = await this.stored();
      if (ifVersion !== undefined && ifVersion !== version) throw new FlagConflictError(undefined, ifVersion, version);
      const under = defaultsOf(this.flags);
      const { flags, $evaluators } = parseFlagDocument(text, { source, under: { ...under, ...now.flags } }, open);
      const gone = prune ? Object.keys(now.flags).filter(flag => !Object.hasOwn(flags, flag)) : [];
      const wanted = { ...resolved(flags, $evaluators), ...Object.fromEntries(gone.map(flag => [flag, null])) };
      const changes = differences(now.flags, wanted);
      if (dryRun) {
        checkFlagDocument(withChanges(now, changes), { source: 'the change', under });
        return { version, changes };
      }
      try {
        return { version: (await store.changeAll({ flags: wanted, by, ifVersion: version })).version, changes };
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
