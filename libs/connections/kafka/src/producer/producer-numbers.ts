import type { BatchNumbers } from './record-batch.js';

/** What comes after it is 0. */
const LAST_SEQUENCE = 2_147_483_647;

/** How one producer numbers its records, those of each partition by themselves: so the broker knows a batch that it has already. */
export class ProducerNumbers {
  readonly #next = new Map<string, number>();

  constructor(
    private readonly producerId: bigint,
    private readonly producerEpoch: number,
  ) {}

  /** Of the batch that comes next; the same until it is written. */
  of(topic: string, partition: number): BatchNumbers {
    const { producerId, producerEpoch } = this;
    return { producerId, producerEpoch, sequence: this.#next.get(keyOf(topic, partition)) ?? 0 };
  }

  /** So many records are written. */
  count(topic: string, partition: number, records: number): void {
    const next = this.of(topic, partition).sequence + records;
    this.#next.set(keyOf(topic, partition), next > LAST_SEQUENCE ? next - LAST_SEQUENCE - 1 : next);
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}
