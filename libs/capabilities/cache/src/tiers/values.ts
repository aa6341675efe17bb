import type { Clock } from '@core-infra/kernel';
import type { CacheConfig } from '../cache.config.js';
import type { EntryOptions } from '../cache.js';
import type { ValueCodec } from '../codec/value.codec.js';
import { lifetime } from '../options.js';
import { Entry, type EntryFields, type Held, type Lease } from './entry.js';
import type { Space } from './space.js';

/** What is noted when a load begins. */
export interface LoadStart {
  readonly seq: number;
  readonly asOf: number;
  readonly lease?: Lease;
  /** Not for the shared store. */
  readonly l1Only?: boolean;
}

/** A value that can be cached. */
export interface Prepared extends Held {
  /** For the shared store, where there is one. */
  readonly encoded: Buffer | undefined;
}

/** That a loader found nothing. */
export const absent: Prepared = { held: undefined, isPacked: false, size: 0, encoded: undefined };

/** What an entry from the shared store is, besides its value. */
export type ReceivedFields = Omit<EntryFields, keyof Held | 'write'>;

/** Makes entries of values, and values of entries. */
export class Values {
  private readonly shares: boolean;

  constructor(
    private readonly config: CacheConfig,
    private readonly clock: Clock,
    /** For values in this process: not compressed, not encrypted. */
    private readonly own: ValueCodec,
    /** For the shared store, where there is one. */
    private readonly wire: ValueCodec | undefined,
  ) {
    this.shares = config.memory.values === 'shared';
  }

  /** @throws UnserialisableValueError, ValueTooLargeError */
  prepare(value: unknown, full: string): Prepared {
    const { own, wire } = this;
    if (!own.text) {
      const bytes = own.encode(value);
      const encoded = wire === own ? bytes : wire?.encode(value, full);
      return { ...this.kept(value, bytes, bytes.length), encoded };
    }
    const text = own.text.write(value);
    const encoded = wire === own ? own.text.toBytes(text) : wire?.encode(value, full);
    return { ...this.kept(value, text, Buffer.byteLength(text)), encoded };
  }

  entry(space: Space, full: string, prepared: Prepared, options: EntryOptions, start: LoadStart): Entry {
    const { held, isPacked, size, encoded } = prepared;
    const { asOf, lease } = start;
    const isShared = this.wire !== undefined && !start.l1Only;
    return new Entry({
      space,
      full,
      held,
      isPacked,
      size,
      ...lifetime(options, this.config, this.clock.now(), Math.random()),
      tags: options.tags?.length ? [...new Set(options.tags)] : none,
      seq: start.seq,
      write: isShared ? { encoded, rev: newRev(), asOf, lease } : undefined,
    });
  }

  /** The entry of a remembered `undefined`. */
  nothing(fields: ReceivedFields): Entry {
    return new Entry({ ...fields, held: undefined, isPacked: false, size: 0 });
  }

  /** The entry of bytes from the shared store, which begin at `at`; nothing when they cannot be read. */
  received(fields: ReceivedFields, bytes: Buffer, at: number): Entry | undefined {
    const found = this.wire === this.own ? this.own.text?.fromBytes(bytes, at) : undefined;
    if (found) return this.entryOf(fields, this.kept(found.value, found.text, bytes.length - at), found.value);
    const encoded = bytes.subarray(at);
    const value = this.wire?.decode(encoded, fields.full);
    if (value === undefined) return undefined;
    if (this.own.text) {
      const text = this.own.text.write(value);
      return this.entryOf(fields, this.kept(value, text, Buffer.byteLength(text)), value);
    }
    // Taken out of the larger bytes that they arrived in.
    const own = this.wire === this.own ? Buffer.from(encoded) : this.own.encode(value);
    return this.entryOf(fields, this.kept(value, own, own.length), value);
  }

  read(entry: Entry): unknown {
    if (!entry.isPacked) return entry.held;
    const { unpacked } = entry;
    if (unpacked !== undefined) {
      entry.unpacked = undefined;
      return unpacked;
    }
    return typeof entry.held === 'string' ? this.own.text!.read(entry.held) : this.own.decode(entry.held as Buffer);
  }

  /** Text, numbers, null and the like as they are. */
  private kept(value: unknown, packed: string | Buffer, size: number): Held {
    return typeof value !== 'object' || value === null || this.shares
      ? { held: value, isPacked: false, size }
      : { held: packed, isPacked: true, size };
  }

  private entryOf(fields: ReceivedFields, { held, isPacked, size }: Held, value: unknown): Entry {
    const { space, full, freshUntil, graceMs, tags, seq } = fields;
    const entry = new Entry({ space, full, held, isPacked, size, freshUntil, graceMs, tags, seq });
    // Whoever asked gets what was decoded to see whether it can be.
    if (isPacked) entry.unpacked = value;
    return entry;
  }
}

const none: readonly string[] = Object.freeze([]);
let last = Math.floor(Math.random() * 2 ** 40);

/** Tells one write from another: 16 characters. */
export function newRev(): string {
  last = (last + 1) % 2 ** 40;
  return (
    last.toString(16).padStart(10, '0') +
    Math.floor(Math.random() * 2 ** 24)
      .toString(16)
      .padStart(6, '0')
  );
}
