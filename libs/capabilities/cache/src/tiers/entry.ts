import type { Space } from './space.js';

/** Says that the write of a load is still allowed: see {@link SharedTier.lead}. */
export interface Lease {
  readonly token: string;
  /** Gives it up without a value. */
  release(): Promise<void>;
  /** No more renewals: the value was stored, or was not. */
  end(): void;
}

export interface EntryFields {
  readonly space: Space;
  readonly full: string;
  /** The value itself; or, where callers get copies, its bytes. */
  readonly value?: unknown;
  readonly bytes?: Buffer;
  /** Milliseconds since 1970; Infinity for no end. */
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly tags: readonly string[];
  /** This process's count of invalidations when the load or the read began. */
  readonly seq: number;
  /** The log's place by then. */
  readonly asOf: number;
  /** As in the store that is shared: its bytes, and the name of this very write. */
  readonly encoded?: Buffer;
  readonly rev?: string;
  readonly lease?: Lease;
  /** It is not to be written to the shared store: it came from there, or was loaded while that was away. */
  readonly l1Only?: boolean;
  /** Of its value, in bytes. */
  readonly size: number;
}

/** A cached value, as this process holds it. */
export class Entry {
  readonly space: Space;
  readonly full: string;
  readonly value: unknown;
  readonly bytes: Buffer | undefined;
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly tags: readonly string[];
  readonly seq: number;
  readonly asOf: number;
  encoded: Buffer | undefined;
  /** For the first who reads it. */
  decoded: { readonly value: unknown } | undefined;
  readonly rev: string | undefined;
  lease: Lease | undefined;
  readonly l1Only: boolean;
  readonly size: number;
  /** Until when it is served without another load: later than `freshUntil` after a load that failed. */
  until: number;

  constructor(fields: EntryFields) {
    this.space = fields.space;
    this.full = fields.full;
    this.value = fields.value;
    this.bytes = fields.bytes;
    this.freshUntil = fields.freshUntil;
    this.staleUntil = fields.staleUntil;
    this.tags = fields.tags;
    this.seq = fields.seq;
    this.asOf = fields.asOf;
    this.encoded = fields.encoded;
    this.rev = fields.rev;
    this.lease = fields.lease;
    this.l1Only = fields.l1Only ?? false;
    this.size = fields.size;
    this.until = fields.freshUntil;
  }

  get key(): string {
    return this.full.slice(this.space.path.length + 1);
  }

  /** After a load that failed: served for so long before the next attempt. */
  holdOff(now: number, backoffMs: number): void {
    this.until = Math.min(this.staleUntil, now + backoffMs);
  }
}
