import type { KafkaRecord } from '../ports/producer.js';

/** A partition and the broker that leads it; -1 when none does. */
export interface PartitionLeader {
  readonly partitionId: number;
  readonly leader: number;
}

/** Why a batch was not acknowledged, as far as that decides what to do next. */
export type SendOutcome =
  /** Nobody knows whether it was written: the same batch is sent again, and recognised. */
  | 'unknown'
  /** It was not written, and may be later. */
  | 'later'
  /** It was not written, as it is too large; parts of it may be written. */
  | 'too-large'
  /** It was written before. */
  | 'duplicate'
  /** What the broker counts for this producer does not fit; another producer has to send it. */
  | 'out-of-step'
  /** It will never be written. */
  | 'refused';

/** What a batch failed with. */
export class SendFailure extends Error {
  constructor(
    readonly outcome: SendOutcome,
    readonly error: Error,
  ) {
    super(error.message, { cause: error });
  }
}

/** What the batching needs of a driver. */
export interface RecordSender {
  /** @throws KafkaUnknownTopicError, KafkaUnauthorizedError, or another error when that cannot be said now */
  partitionsOf(topic: string): Promise<readonly PartitionLeader[]>;
  /** Which partition a record goes to; one without a key or a partition goes to `undefined`: to any. */
  choose(record: KafkaRecord, partitions: readonly PartitionLeader[]): number | undefined;
  /** How many bytes the topic takes at once, as far as the broker says. */
  limitOf(topic: string): Promise<number | undefined>;
  /** For one batch and all of its attempts: the broker recognises it when they are of the same producer. */
  open(): SendSession;
  /** What is opened next is of another producer, since what the broker counts for this one is not known any more. */
  renew(): void;
}

export interface SendSession {
  /**
   * Sends one batch of one partition once, and resolves with the offset of its first record. Every attempt is given the same records.
   * @param bytes how many they are, about
   * @throws SendFailure
   */
  send(topic: string, partition: number, records: readonly KafkaRecord[], bytes: number): Promise<bigint | undefined>;
  release(): void;
}
