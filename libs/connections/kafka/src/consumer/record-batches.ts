import type { KafkaMessage } from '../ports/consumer.js';

/** Bytes of the head of a batch; what they are is in Kafka's documentation, "Record Batch". */
const HEAD = 61;
const LENGTH_AT = 8;
const AFTER_LENGTH = 12;
const MAGIC_AT = 16;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const COUNT_AT = 57;
/** The format of batches since Kafka 0.11. */
const MAGIC = 2;
const COMPRESSION = 0x07;
const IS_APPEND_TIME = 0x08;
/** Of a transaction, or a mark of its end. */
const TRANSACTION = 0x30;

/** What there is of a partition in one answer. */
export interface Decoded {
  readonly messages: readonly KafkaMessage[];
  /** Of the last batch that is there in full, whatever is left of it after a compaction. */
  readonly lastOffset: bigint | undefined;
}

/** By the number of the compression. */
export type Decompress = (type: number, records: Buffer) => Promise<Buffer>;

/**
 * The records of batches one behind the other, from this offset on; the last batch may be cut off, and is left out.
 * @returns undefined when there are others than plain ones of today's format: of transactions, of other formats
 */
export async function decodeBatches(bytes: Buffer, from: bigint, decompress: Decompress): Promise<Decoded | undefined> {
  const messages: KafkaMessage[] = [];
  let lastOffset: bigint | undefined;
  for (let at = 0; at + HEAD <= bytes.length;) {
    const end = at + AFTER_LENGTH + bytes.readInt32BE(at + LENGTH_AT);
    if (bytes[at + MAGIC_AT] !== MAGIC) return undefined;
    if (end > bytes.length) break;
    const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT);
    if (attributes & TRANSACTION) return undefined;
    const type = attributes & COMPRESSION;
    const firstOffset = bytes.readBigInt64BE(at);
    const count = bytes.readInt32BE(at + COUNT_AT);
    const fixed = attributes & IS_APPEND_TIME ? Number(bytes.readBigInt64BE(at + MAX_TIMESTAMP_AT)) : undefined;
    const firstTimestamp = Number(bytes.readBigInt64BE(at + FIRST_TIMESTAMP_AT));
    const plain = bytes.subarray(at + HEAD, end);
    const records = new RecordsReader(type === 0 || count === 0 ? plain : await decompress(type, plain));
    for (let left = count; left > 0; left -= 1) {
      const message = records.next(firstOffset, firstTimestamp, fixed);
      if (message.offset >= from) messages.push(message);
    }
    lastOffset = firstOffset + BigInt(bytes.readInt32BE(at + LAST_DELTA_AT));
    at = end;
  }
  return { messages, lastOffset };
}

/** Reads one record after the other. */
class RecordsReader {
  private at = 0;
  /** The names of headers, by their place in a record: they are the same in most. */
  private readonly names: { readonly bytes: Buffer; readonly text: string }[] = [];

  constructor(private readonly bytes: Buffer) {}

  /** @param fixed the time of all records of the batch, where it is the broker's */
  next(firstOffset: bigint, firstTimestamp: number, fixed: number | undefined): KafkaMessage {
    const length = this.number();
    const end = this.at + length;
    this.at += 1; // attributes that nobody uses
    const timestamp = firstTimestamp + this.number();
    const offset = firstOffset + BigInt(this.number());
    const key = this.data();
    const value = this.data();
    const headers = this.headers();
    if (!(this.at <= end && end <= this.bytes.length)) throw new RangeError('A record is cut off within its batch.');
    this.at = end;
    return { offset, key, value, headers, timestamp: fixed ?? timestamp };
  }

  private headers(): KafkaMessage['headers'] {
    const headers: Record<string, Buffer | Buffer[]> = {};
    const count = this.number();
    for (let place = 0; place < count; place += 1) {
      const name = this.name(place);
      // One without a value is empty.
      const value = this.data() ?? empty;
      const present = Object.hasOwn(headers, name) ? headers[name] : undefined;
      if (Array.isArray(present)) present.push(value);
      else if (present !== undefined) put(headers, name, [present, value]);
      else put(headers, name, value);
    }
    return headers;
  }

  private name(place: number): string {
    const length = Math.max(0, this.number());
    const from = this.at;
    this.at += length;
    const known = this.names[place];
    if (known && known.bytes.length === length && isAt(this.bytes, from, known.bytes)) return known.text;
    const bytes = this.bytes.subarray(from, this.at);
    const text = bytes.toString();
    this.names[place] = { bytes, text };
    return text;
  }

  private data(): Buffer | null {
    const length = this.number();
    if (length < 0) return null;
    const from = this.at;
    this.at += length;
    return this.bytes.subarray(from, this.at);
  }

  /** Its lowest bit is the sign, seven bits in a byte. */
  private number(): number {
    const { bytes } = this;
    let byte = bytes[this.at++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = bytes[this.at++]!;
      value += (byte & 0x7f) * factor;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

const empty = Buffer.alloc(0);

function put(headers: Record<string, Buffer | Buffer[]>, name: string, value: Buffer | Buffer[]): void {
  if (name === '__proto__')
    Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
  else headers[name] = value;
}

function isAt(bytes: Buffer, from: number, wanted: Buffer): boolean {
  for (let at = 0; at < wanted.length; at += 1) if (bytes[from + at] !== wanted[at]) return false;
  return true;
}
