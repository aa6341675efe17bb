import type { Space } from './space.js';

/** Says that the write of a load is still allowed: see {@link SharedTier.lead}. */
export interface Lease {
  readonly token: string;
  /** Gives it up without a value. */
  release(): Promise<void>;
  /** No more renewals: the value was stored, or was not. */
  end(): void;
}

/** What the shared store is still to be told of an entry. */
export interface PendingWrite {
  /** The value as the codec wrote it; `undefined` for an `undefined` that is remembered. */
  readonly encoded: Buffer | undefined;
  /** The name of this very write. */
  readonly rev: string;
  /** The log's place when the load began. */
  readonly asOf: number;
  readonly lease: Lease | undefined;
}

/** A value as a process holds it. */
export interface Held {
  /** The value itself; or, where callers get copies, what the serialiser made of it. */
  readonly held: unknown;
  readonly isPacked: boolean;
  /** Of the value as the serialiser writes it, in bytes. */
  readonly size: number;
}

export interface EntryFields extends Held {
  readonly space: Space;
  readonly full: string;
  /** Milliseconds since 1970, whole ones; Infinity for no end. */
  readonly freshUntil: number;
  /** How long after that it may be served when there is nothing better, in milliseconds. */
  readonly graceMs: number;
  readonly tags: readonly string[];
  /** This process's count of invalidations when the load or the read began. */
  readonly seq: number;
  /** Nothing for what came from the shared store, or was loaded while that was away. */
  readonly write?: PendingWrite | undefined;
}

/** A cached value, as this process holds it: there are many, so it has few fields, and whole numbers where it can. */
export class Entry {
  readonly space: Space;
  readonly full: string;
  readonly held: unknown;
  readonly isPacked: boolean;
  readonly size: number;
  readonly freshUntil: number;
  readonly graceMs: number;
  readonly tags: readonly string[];
  readonly seq: number;
  write: PendingWrite | undefined;
  /** For the first who reads it. */
  unpacked: unknown;
  /** After a load that failed: until when it is served without another attempt. */
  private heldOffUntil: number | undefined;

  constructor(fields: EntryFields) {
    this.space = fields.space;
    this.full = fields.full;
    this.held = fields.held;
    this.isPacked = fields.isPacked;
    this.size = fields.size;
    this.freshUntil = fields.freshUntil;
    this.graceMs = fields.graceMs;
    this.tags = fields.tags;
    this.seq = fields.seq;
    this.write = fields.write;
    this.unpacked = undefined;
    this.heldOffUntil = undefined;
  }

  get staleUntil(): number {
    return this.freshUntil + this.graceMs;
  }

  /** Until when it is served without another load. */
  get until(): number {
    return this.heldOffUntil ?? this.freshUntil;
  }

  holdOff(now: number, backoffMs: number): void {
    this.heldOffUntil = Math.min(this.staleUntil, now + backoffMs);
  }
}
