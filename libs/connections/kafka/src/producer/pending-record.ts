import type { KafkaDelivery, KafkaRecord } from '../ports/producer.js';

/** Bytes of a record beside its key, value and headers: lengths, offset and timestamp. */
const OVERHEAD = 24;

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
    private readonly onResolve: (delivery: KafkaDelivery) => void,
    private readonly onReject: (error: unknown) => void,
    private readonly onSettled: (record: PendingRecord) => void,
  ) {}

  /** Gives it up when the signal aborts. */
  giveUpOn(signal: AbortSignal): void {
    const abort = () => this.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#detach = () => signal.removeEventListener('abort', abort);
  }

  resolve(partition: number, offset: bigint | undefined): void {
    if (this.#settle()) this.onResolve({ topic: this.record.topic, partition, offset });
  }

  reject(error: unknown): void {
    if (this.#settle()) this.onReject(error);
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
    const values = headers[name];
    for (const item of Array.isArray(values) ? (values as readonly (Buffer | string)[]) : [values as Buffer | string])
      bytes += 4 + Buffer.byteLength(name) + lengthOf(item);
  }
  return bytes;
}

function lengthOf(data: Buffer | string | null | undefined): number {
  if (data === null || data === undefined) return 0;
  return typeof data === 'string' ? Buffer.byteLength(data) : data.length;
}
