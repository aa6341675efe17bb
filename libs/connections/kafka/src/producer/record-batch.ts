import type { KafkaHeader, KafkaRecord } from '../ports/producer.js';
import { crc32c } from './crc32c.js';

/** Bytes of the head of a batch; what they are is in Kafka's documentation, "Record Batch". */
const HEAD = 61;
const LENGTH_AT = 8;
const LEADER_EPOCH_AT = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const FIRST_SEQUENCE_AT = 53;
const COUNT_AT = 57;
/** The format of batches since Kafka 0.11. */
const MAGIC = 2;
const UNKNOWN = -1;
/** Text of fewer units than this has its length in one byte, if it is ASCII, and is written here faster than by a call of Buffer. */
const SHORT = 64;
/** Beside its key, value and headers, a record takes no more bytes than this. */
const AROUND = 36;
/** Of a header, beside its name and value. */
const AROUND_HEADER = 10;

/** By what the broker knows a batch that it was sent before. */
export interface BatchNumbers {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Of the batch's first record. */
  readonly sequence: number;
}

export interface BatchOptions {
  /** @default none: a batch that is sent twice is written twice */
  readonly numbers?: BatchNumbers | undefined;
  /** In milliseconds since 1970, for records without a time. */
  readonly now: number;
  /** How many bytes they are, about. */
  readonly bytes: number;
  readonly compression?: { readonly type: number; compress(records: Buffer): Promise<Buffer> } | undefined;
}

/** Records in the form in which Kafka takes them over the wire and keeps them. */
export async function encodeBatch(records: readonly KafkaRecord[], options: BatchOptions): Promise<Buffer> {
  const { numbers, now, compression } = options;
  let first = Infinity;
  let latest = -Infinity;
  for (const { timestamp = now } of records) {
    if (timestamp < first) first = timestamp;
    if (timestamp > latest) latest = timestamp;
  }
  const writer = new Writer(HEAD, options.bytes);
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index]!;
    writer.record(record, index, (record.timestamp ?? now) - first);
  }
  let batch = writer.written;
  if (compression) batch = Buffer.concat([batch.subarray(0, HEAD), await compression.compress(batch.subarray(HEAD))]);
  batch.fill(0, 0, LENGTH_AT);
  batch.writeInt32BE(batch.length - LENGTH_AT - 4, LENGTH_AT);
  batch.writeInt32BE(UNKNOWN, LEADER_EPOCH_AT);
  batch.writeInt8(MAGIC, MAGIC_AT);
  batch.writeInt16BE(compression?.type ?? 0, ATTRIBUTES_AT);
  batch.writeInt32BE(records.length - 1, LAST_DELTA_AT);
  batch.writeBigInt64BE(BigInt(first), FIRST_TIMESTAMP_AT);
  batch.writeBigInt64BE(BigInt(latest), MAX_TIMESTAMP_AT);
  batch.writeBigInt64BE(numbers?.producerId ?? BigInt(UNKNOWN), PRODUCER_ID_AT);
  batch.writeInt16BE(numbers?.producerEpoch ?? UNKNOWN, PRODUCER_EPOCH_AT);
  batch.writeInt32BE(numbers?.sequence ?? UNKNOWN, FIRST_SEQUENCE_AT);
  batch.writeInt32BE(records.length, COUNT_AT);
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT);
  return batch;
}

/** Writes one record after the other into bytes that grow. */
class Writer {
  private bytes: Buffer;

  constructor(
    private at: number,
    expected: number,
  ) {
    this.bytes = Buffer.allocUnsafe(at + expected);
  }

  get written(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  record({ key, value, headers }: KafkaRecord, offsetDelta: number, timestampDelta: number): void {
    this.reserve(AROUND);
    const start = this.at;
    // Its length comes first, and is known last; most take two bytes.
    this.at = start + 2;
    this.bytes[this.at++] = 0;
    this.long(timestampDelta);
    this.int(offsetDelta);
    this.data(key);
    this.data(value);
    this.headers(headers);
    const length = this.at - start - 2;
    const width = widthOf(length);
    if (width !== 2) {
      this.reserve(width);
      this.bytes.copyWithin(start + width, start + 2, this.at);
    }
    this.at = start;
    this.int(length);
    this.at += length;
  }

  private headers(headers: KafkaRecord['headers']): void {
    if (!headers) return this.int(0);
    const names = Object.keys(headers);
    let count = 0;
    for (const name of names) count += Array.isArray(headers[name]) ? headers[name].length : 1;
    this.int(count);
    for (const name of names) {
      const value = headers[name] as KafkaHeader | readonly KafkaHeader[];
      if (!Array.isArray(value)) this.header(name, value as KafkaHeader);
      else for (const each of value as readonly KafkaHeader[]) this.header(name, each);
    }
  }

  private header(name: string, value: KafkaHeader): void {
    this.reserve(AROUND_HEADER);
    this.text(name);
    this.data(value);
  }

  private data(data: Buffer | string | null | undefined): void {
    if (data === null || data === undefined) return this.int(-1);
    if (!(data instanceof Uint8Array)) return this.text(String(data));
    const { length } = data;
    this.reserve(length + AROUND);
    this.int(length);
    this.bytes.set(data, this.at);
    this.at += length;
  }

  private text(text: string): void {
    if (text.length < SHORT && this.ascii(text)) return;
    const length = Buffer.byteLength(text);
    this.reserve(length + AROUND);
    this.int(length);
    this.bytes.write(text, this.at);
    this.at += length;
  }

  /** @returns false when it is something else, and so nothing counts as written */
  private ascii(text: string): boolean {
    const { length } = text;
    this.reserve(length + AROUND);
    const { bytes } = this;
    let at = this.at;
    bytes[at++] = length << 1;
    for (let index = 0; index < length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      bytes[at++] = unit;
    }
    this.at = at;
    return true;
  }

  /** With the sign as the lowest bit, seven bits in a byte. */
  private int(value: number): void {
    const { bytes } = this;
    let left = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; left > 0x7f; left >>>= 7) bytes[this.at++] = (left & 0x7f) | 0x80;
    bytes[this.at++] = left;
  }

  private long(value: number): void {
    if (value < 0x4000_0000) return this.int(value);
    const { bytes } = this;
    let left = BigInt(value) << 1n;
    for (; left > 0x7fn; left >>= 7n) bytes[this.at++] = Number(left & 0x7fn) | 0x80;
    bytes[this.at++] = Number(left);
  }

  /** Room for so many bytes, and for what is around a record. */
  private reserve(bytes: number): void {
    const needed = this.at + bytes + AROUND;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }
}

/** How many bytes a length takes. */
function widthOf(length: number): number {
  let width = 1;
  for (let left = length << 1; left > 0x7f; left >>>= 7) width += 1;
  return width;
}
