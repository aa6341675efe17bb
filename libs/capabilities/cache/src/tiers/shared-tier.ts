import type { CheckResult } from '@core-infra/kernel';
import type { Entry, Lease } from './entry.js';
import type { Space } from './space.js';

/** What invalidates more than single keys. */
export type Sweep =
  | { readonly kind: 'clear' }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  | { readonly kind: 'prefix'; readonly prefix: string };

/** An entry as it was found, if it still holds; and the name of the write that was there, if any. */
export interface Found {
  readonly entry: Entry | undefined;
  readonly rev: string;
}

/** What became of the wish to be the one that loads. */
export type Lead = { readonly lease: Lease } | { readonly entry: Entry } | 'away';

export interface LeadRequest {
  readonly space: Space;
  readonly full: string;
  /** The write that was seen and is not good enough; `undefined` for none. */
  readonly rev: string | undefined;
  /** Tags that the entry is expected to have. */
  readonly tags: readonly string[];
  /** Takes the lease from whoever has it: the value is to be newer than what others are loading. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/**
 * The store that processes share. While it is away its calls resolve at once, as for a store without entries; an invalidation is kept and made up
 * for before the store is read again. No call rejects.
 */
export interface SharedTier {
  readonly isReady: boolean;
  /** The log's latest place that this process knows of. */
  readonly asOf: number;
  get(space: Space, full: string): Promise<Found>;
  getMany(space: Space, fulls: readonly string[]): Promise<Entry[]>;
  set(entries: readonly Entry[]): Promise<void>;
  /** Writes the value of a load, unless it was invalidated since the load began. @returns whether it was written */
  store(entry: Entry): Promise<boolean>;
  /** Asks to be the only process that loads; waits for the value of another one that does. */
  lead(request: LeadRequest): Promise<Lead>;
  /** @returns how many of them there were */
  delete(fulls: readonly string[]): Promise<number>;
  sweep(space: Space, sweep: Sweep): Promise<void>;
  check(): CheckResult;
  close(): Promise<void> | void;
}
