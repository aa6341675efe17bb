import type { KafkaRecord } from '../ports/producer.js';
import type { PendingRecord } from './pending-record.js';

/** Records of one key, of those that are sent together: none is written after one that was not. */
export class KeyChains {
  readonly #pending = new Map<string, PendingRecord[]>();
  readonly #broken = new Map<string, { readonly reason: unknown }>();

  add(record: PendingRecord): void {
    const key = keyOf(record.record);
    if (key === undefined) return;
    const chain = this.#pending.get(key);
    if (chain) chain.push(record);
    else this.#pending.set(key, [record]);
  }

  /** Why an earlier one of its key was not written, if so. */
  brokenBy(record: KafkaRecord): { readonly reason: unknown } | undefined {
    if (this.#broken.size === 0) return undefined;
    const key = keyOf(record);
    return key === undefined ? undefined : this.#broken.get(key);
  }

  /** One is not written: the later ones go with it. @param pending the record, if it had been accepted */
  cut(record: KafkaRecord, reason: unknown, pending: PendingRecord | undefined): void {
    const key = keyOf(record);
    if (key === undefined || this.#broken.has(key)) return;
    this.#broken.set(key, { reason });
    if (!pending) return; // none has come after it
    for (const other of this.#pending.get(key) ?? []) if (other.number > pending.number) other.reject(reason);
  }
}

function keyOf({ topic, key }: KafkaRecord): string | undefined {
  if (key === undefined || key === null) return undefined;
  return `${topic} ${typeof key === 'string' ? key : key.toString('latin1')}`;
}
