/** What one entry is told when it is written. Durations in milliseconds. */
export interface EntryOptions {
  /** How long the value is fresh; 0 or `'forever'` for no end. @default cache.ttlMs */
  ttlMs?: number | 'forever';
  /** How long after that it may still be served when the loader fails or overruns. @default cache.graceMs */
  graceMs?: number;
  /** Names to delete it by, with others. */
  tags?: readonly string[];
}

export interface GetOrSetOptions extends EntryOptions {
  /** How long a value of `null` or `undefined` is remembered; 0 for not at all. @default cache.negativeTtlMs */
  negativeTtlMs?: number;
  /** After this long a stale value is served, where there is one, and the load goes on in the background. @default cache.softTimeoutMs */
  softTimeoutMs?: number;
  /** After this long the load counts as failed. @default cache.hardTimeoutMs */
  hardTimeoutMs?: number;
}

/** What a loader is handed. */
export interface LoadContext {
  /** Aborts at the hard time-out. */
  readonly signal: AbortSignal;
  /** The value that went stale, if there is one. */
  readonly stale: unknown;
  /** Changes what the entry is told, now that the value is known. */
  options(options: EntryOptions): void;
  /** The value is handed to the caller and not kept. */
  skip(): void;
}

export type Load<T> = (context: LoadContext) => Promise<T> | T;

/** A typed cached loader: see {@link Cache.define}. */
export interface CachedLoader<Args extends readonly unknown[], T> {
  /** The value, from the cache or loaded. */
  get(...args: Args): Promise<T>;
  /** Loads it anew, for all. */
  refresh(...args: Args): Promise<T>;
  /** Writes the value through to the source, where `define` was given `save`, and to the cache. */
  set(value: T, ...args: Args): Promise<void>;
  delete(...args: Args): Promise<void>;
  /** Forgets all values of this loader. */
  clear(): Promise<void>;
}

export interface LoaderDefinition<Args extends readonly unknown[], T> extends GetOrSetOptions {
  key: (...args: Args) => string;
  load: (...args: [...Args, LoadContext]) => Promise<T> | T;
  /** Write-through: saves the value at its source before it is cached; an error leaves the cache without the entry. */
  save?: (value: T, ...args: Args) => Promise<void> | void;
}

/**
 * A cache. A missing entry is `undefined`; `null` is a value. No error of the store behind it reaches the caller; a loader's own error does,
 * when nothing stale is left.
 */
export abstract class Cache {
  abstract get<T = unknown>(key: string): Promise<T | undefined>;
  /** The entry, or what `load` returns: once per process for concurrent callers, and once for all processes over one Redis. */
  abstract getOrSet<T>(key: string, load: Load<T>, options?: GetOrSetOptions): Promise<T>;
  abstract set(key: string, value: unknown, options?: EntryOptions): Promise<void>;
  abstract has(key: string): Promise<boolean>;
  /** @returns whether there was an entry, as far as this process could see */
  abstract delete(key: string): Promise<boolean>;
  abstract deleteMany(keys: readonly string[]): Promise<void>;
  /** All entries of this namespace that carry one of the tags. */
  abstract deleteByTag(...tags: string[]): Promise<void>;
  /** All entries of this namespace, in constant time. */
  abstract clear(): Promise<void>;
  /** All entries of this namespace whose key begins so. */
  abstract clearPrefix(prefix: string): Promise<void>;
  /** The entries that are there, by key. */
  abstract getMany<T = unknown>(keys: readonly string[]): Promise<Map<string, T>>;
  abstract setMany(entries: Iterable<readonly [key: string, value: unknown]>, options?: EntryOptions): Promise<void>;
  /** A cache within this one: its keys and tags do not meet those of others, and `clear` empties it alone (and what is within it). */
  abstract namespace(name: string): Cache;
  /** A typed cached loader, in a namespace of its own. */
  abstract define<Args extends readonly unknown[], T>(
    name: string,
    definition: LoaderDefinition<Args, T>,
  ): CachedLoader<Args, T>;
}
