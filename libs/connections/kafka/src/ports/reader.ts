import type { KafkaMessage } from './consumer.js';

/** Which part of a partition is there, as offsets. */
export interface KafkaBounds {
  readonly partition: number;
  /** The first record that is kept. */
  readonly start: bigint;
  /** The offset that the next record gets. */
  readonly end: bigint;
}

/** Reads partitions without a group: what is there now, from wherever, by whoever asks. */
export interface KafkaReader {
  /** @throws KafkaUnknownTopicError */
  bounds(topic: string): Promise<KafkaBounds[]>;
  /**
   * The records from `from` up to, and without, `to`, in lists as the broker hands them out; ends when there are no more before `to`. Records of
   * transactions count as they were written, whatever became of those.
   *
   * @throws KafkaUnknownTopicError, KafkaUnauthorizedError, {@link KafkaUnreachableError}
   */
  read(
    topic: string,
    partition: number,
    range: { readonly from: bigint; readonly to: bigint },
    signal?: AbortSignal,
  ): AsyncIterable<readonly KafkaMessage[]>;
}
