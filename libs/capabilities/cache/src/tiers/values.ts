import type { Clock } from '@core-infra/kernel';
import type { CacheConfig } from '../cache.config.js';
import type { EntryOptions } from '../cache.js';
import type { ValueCodec } from '../codec/value.codec.js';
import { lifetime } from '../options.js';
import { Entry, type EntryFields, type Lease } from './entry.js';
import type { Space } from './space.js';

/** What is noted when a load begins. */
export interface LoadStart {
  readonly seq: number;
  readonly asOf: number;
  readonly lease?: Lease;
  readonly l1Only?: boolean;
}

/** Makes entries of values, and values of entries. */
export class Values {
  constructor(
    private readonly config: CacheConfig,
    private readonly clock: Clock,
    /** For values in this process: not compressed, not encrypted. */
    private readonly own: ValueCodec,
    /** For the shared store, where there is one. */
    private readonly wire: ValueCodec | undefined,
  ) {}

  private get shares(): boolean {
    return this.config.memory.values === 'shared';
  }

  /** @throws UnserialisableValueError, ValueTooLargeError */
  entry(space: Space, full: string, value: unknown, options: EntryOptions, start: LoadStart): Entry {
    return new Entry({
      space,
      full,
      ...this.held(value),
      encoded: value === undefined || start.l1Only ? undefined : this.wire?.encode(value, full),
      rev: newRev(),
      tags: options.tags?.length ? [...new Set(options.tags)] : none,
      ...start,
      ...lifetime(options, this.config, this.clock.now(), Math.random()),
    });
  }

  /** A value as this process holds it: text, numbers, null and the like as they are. */
  held(value: unknown): { value?: unknown; bytes?: Buffer; size: number } {
    if (value === undefined) return { value, size: 0 };
    const bytes = this.own.encode(value);
    const asItIs = typeof value !== 'object' || value === null || this.shares;
    return asItIs ? { value, size: bytes.length } : { bytes, size: bytes.length };
  }

  /** The entry of bytes from the shared store; nothing when they cannot be read. */
  received(fields: Omit<EntryFields, 'value' | 'bytes' | 'size'>, encoded: Buffer | undefined): Entry | undefined {
    if (encoded === undefined) return new Entry({ ...fields, size: 0, l1Only: true });
    const value = this.wire?.decode(encoded, fields.full);
    if (value === undefined) return undefined;
    // Bytes that are as this process holds them are taken as they came, out of the larger ones that they arrived in.
    const kept = this.wire === this.own && typeof value === 'object' && value !== null && !this.shares;
    const held = kept ? { bytes: Buffer.from(encoded), size: encoded.length } : this.held(value);
    const entry = new Entry({ ...fields, ...held, l1Only: true });
    // Whoever asked gets what was decoded to see whether it can be.
    if (entry.bytes) entry.decoded = { value };
    return entry;
  }

  /** @throws UnserialisableValueError, ValueTooLargeError when it cannot be cached */
  check(value: unknown): void {
    this.own.encode(value);
  }

  read(entry: Entry): unknown {
    if (entry.decoded) {
      const { value } = entry.decoded;
      entry.decoded = undefined;
      return value;
    }
    return entry.bytes === undefined ? entry.value : this.own.decode(entry.bytes);
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
