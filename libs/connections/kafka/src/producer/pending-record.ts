import type { KafkaDelivery, KafkaHeader, KafkaRecord } from '../ports/producer.js';

/** Bytes of a record beside its key, value and headers: lengths, offset and timestamp. */
const OVERHEAD = 24;

/** Text of fewer units is looked through faster than Buffer is asked for its length. */
const SHORT = 64;

/** Who is told what became of records. */
export interface Outcomes {
  resolved(index: number, delivery: KafkaDelivery): void;
  rejected(index: number, error: unknown): void;
}

/** A record that has no outcome yet. */
export class PendingRecord {
  /** Whether it was handed to the driver, and so may have been written. */
  sent = false;
  settled = false;
  #detach: (() => void) | undefined;

  constructor(
    readonly record: KafkaRecord,
    /** Counts up. */
    readonly number: number,
    readonly bytes: number,
    /** By the monotonic clock, in milliseconds. */
    readonly deadline: number,
    readonly timeoutMs: number,
    private readonly outcomes: Outcomes,
    /** Which of those it is that are told of together. */
    private readonly index: number,
    private readonly onSettled: (record: PendingRecord) => void,
  ) {}

  /** Gives it up when the signal aborts. */
  giveUpOn(signal: AbortSignal): void {
    const abort = () => this.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#detach = () => signal.removeEventListener('abort', abort);
  }

  resolve(partition: number, offset: bigint | undefined): void {
    if (this.#settle()) this.outcomes.resolved(this.index, { topic: this.record.topic, partition, offset });
  }

  reject(error: unknown): void {
    if (this.#settle()) this.outcomes.rejected(this.index, error);
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#detach?.();
    this.onSettled(this);
    return true;
  }
}

/** How much of a request a record takes, in bytes, before compression. */
export function sizeOf({ key, value, headers }: KafkaRecord): number {
  let bytes = OVERHEAD + lengthOf(key) + lengthOf(value);
  for (const name in headers) {
    const value = headers[name] as KafkaHeader | readonly KafkaHeader[];
    const around = 4 + lengthOf(name);
    if (!Array.isArray(value)) bytes += around + lengthOf(value as KafkaHeader);
    else for (const each of value as readonly KafkaHeader[]) bytes += around + lengthOf(each);
  }
  return bytes;
}

function lengthOf(data: Buffer | string | null | undefined): number {
  if (data === null || data === undefined) return 0;
  return typeof data === 'string' && !isShortAscii(data) ? Buffer.byteLength(data) : data.length;
}

function isShortAscii(text: string): boolean {
  if (text.length >= SHORT) return false;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
