/**
 * An entry in Redis. The first 50 characters are text, since scripts read and write them: format, kind, who holds the lease and until when, and
 * the name of the write. Then the times as doubles, the tags as JSON, and the value as the codec wrote it.
 *
 * A record without a value is a lease alone. So whatever deletes the key takes the lease as well, and the load that held it can no longer be
 * stored.
 */
export interface WrittenRecord {
  readonly rev: string;
  readonly asOf: number;
  /** Milliseconds since 1970; Infinity for no end. */
  readonly freshUntil: number;
  /** The same. */
  readonly staleUntil: number;
  readonly tags: readonly string[];
  /** `undefined` for a remembered `undefined`. */
  readonly value: Buffer | undefined;
}

/** A record as it was read. */
export interface EntryRecord {
  readonly bytes: Buffer;
  readonly asOf: number;
  readonly freshUntil: number;
  readonly graceMs: number;
  readonly tags: readonly string[];
  /** Where the value begins; `undefined` for a remembered `undefined`. */
  readonly valueAt: number | undefined;
}

const none: readonly string[] = Object.freeze([]);
const format = 'C1';
const textLength = 50;
const timesAt = textLength;
const tagsAt = timesAt + 3 * 8;
const headLength = tagsAt + 4;
export const noOwner = '-'.repeat(16);
const noLease = noOwner + '0'.repeat(14);

export function encodeRecord(record: WrittenRecord): Buffer {
  const tags = record.tags.length > 0 ? Buffer.from(JSON.stringify(record.tags)) : Buffer.alloc(0);
  const head = Buffer.allocUnsafe(headLength);
  head.write(`${format}${record.value === undefined ? 'u' : 'v'} ${noLease}${record.rev}`, 0, 'latin1');
  head.writeDoubleBE(record.asOf, timesAt);
  head.writeDoubleBE(record.freshUntil, timesAt + 8);
  head.writeDoubleBE(record.staleUntil, timesAt + 16);
  head.writeUInt32BE(tags.length, tagsAt);
  return Buffer.concat(record.value === undefined ? [head, tags] : [head, tags, record.value]);
}

/** @returns nothing for a lease alone, and for bytes that are not a record */
export function decodeRecord(bytes: Buffer): EntryRecord | undefined {
  if (bytes.length < headLength || bytes[0] !== 0x43 || bytes[1] !== 0x31) return undefined;
  const tagsLength = bytes.readUInt32BE(tagsAt);
  const tagsEnd = headLength + tagsLength;
  if (tagsEnd > bytes.length) return undefined;
  const freshUntil = bytes.readDoubleBE(timesAt + 8);
  const staleUntil = bytes.readDoubleBE(timesAt + 16);
  try {
    return {
      bytes,
      asOf: bytes.readDoubleBE(timesAt),
      freshUntil,
      graceMs: staleUntil === freshUntil ? 0 : staleUntil - freshUntil,
      tags: tagsLength === 0 ? none : (JSON.parse(bytes.toString('utf8', headLength, tagsEnd)) as string[]),
      valueAt: bytes[2] === 0x75 ? undefined : tagsEnd,
    };
  } catch {
    // Somebody else's bytes under our name: as if there were none.
    return undefined;
  }
}

/** The name of the write. */
export function revOf(bytes: Buffer): string {
  return bytes.toString('latin1', 34, textLength);
}
