import type { KafkaDelivery, KafkaRecord, KafkaSendOptions } from '../ports/producer.js';
import type { Outcomes, PendingRecord } from './pending-record.js';

/** Records that are sent together. Where the order of keys is kept, none is written after one of its key that was not. */
export class RecordGroup implements Outcomes {
  /** What became of each, once that is known of all. */
  readonly settled: Promise<PromiseSettledResult<KafkaDelivery>[]>;
  readonly #results: PromiseSettledResult<KafkaDelivery>[] = [];
  readonly #pending: (PendingRecord | undefined)[] = [];
  readonly #keepsOrder: boolean;
  readonly #signal: AbortSignal | undefined;
  #left: number;
  #end!: () => void;
  /** Of keys of which one was not written. */
  #broken: Map<string, { readonly reason: unknown }> | undefined;
  #byKey: Map<string, number[]> | undefined;

  constructor(
    private readonly records: readonly KafkaRecord[],
    { keepKeyOrder = false, signal }: KafkaSendOptions,
  ) {
    this.#keepsOrder = keepKeyOrder && records.length > 1;
    this.#left = records.length;
    this.settled = new Promise(resolve => (this.#end = () => resolve(this.#results)));
    // One for all of them: a signal takes its time with each that listens.
    if (signal && !signal.aborted) (this.#signal = signal).addEventListener('abort', this.#giveUp, { once: true });
  }

  accepted(index: number, record: PendingRecord | undefined): void {
    this.#pending[index] = record;
  }

  /** Why an earlier one of its key was not written, if so. */
  brokenBy(index: number): { readonly reason: unknown } | undefined {
    if (!this.#broken) return undefined;
    const key = keyOf(this.records[index]!);
    return key === undefined ? undefined : this.#broken.get(key);
  }

  resolved(index: number, value: KafkaDelivery): void {
    this.#settle(index, { status: 'fulfilled', value });
  }

  rejected(index: number, reason: unknown): void {
    this.#settle(index, { status: 'rejected', reason });
    if (this.#keepsOrder) this.#cut(index, reason);
  }

  #settle(index: number, result: PromiseSettledResult<KafkaDelivery>): void {
    this.#results[index] = result;
    this.#pending[index] = undefined;
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#signal?.removeEventListener('abort', this.#giveUp);
    this.#end();
  }

  /** The later ones of its key go with it. */
  #cut(index: number, reason: unknown): void {
    const key = keyOf(this.records[index]!);
    if (key === undefined) return;
    const broken = (this.#broken ??= new Map<string, { readonly reason: unknown }>());
    if (broken.has(key)) return;
    broken.set(key, { reason });
    for (const other of this.#indexesOf(key)) if (other > index) this.#pending[other]?.reject(reason);
  }

  #indexesOf(key: string): readonly number[] {
    this.#byKey ??= indexedByKey(this.records);
    return this.#byKey.get(key) ?? [];
  }

  readonly #giveUp = (): void => {
    for (const pending of this.#pending) pending?.reject(this.#signal!.reason);
  };
}

function indexedByKey(records: readonly KafkaRecord[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [index, record] of records.entries()) {
    const key = keyOf(record);
    if (key === undefined) continue;
    const indexes = found.get(key);
    if (indexes) indexes.push(index);
    else found.set(key, [index]);
  }
  return found;
}

function keyOf({ topic, key }: KafkaRecord): string | undefined {
  if (key === undefined || key === null) return undefined;
  return `${topic} ${typeof key === 'string' ? key : key.toString('latin1')}`;
}
