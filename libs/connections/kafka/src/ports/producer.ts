/** A header's value; several under one name are a list. */
export type KafkaHeader = Buffer | string;

/** What is written to a topic. */
export interface KafkaRecord {
  readonly topic: string;
  /** Records of one key are of one partition, and stay in order. */
  readonly key?: Buffer | string | null;
  /** `null` deletes the key in a compacted topic. */
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, KafkaHeader | readonly KafkaHeader[]>>;
  /** @default by the key as Java's clients do (murmur2), without a key any */
  readonly partition?: number;
  /** In milliseconds since 1970. @default when it is sent */
  readonly timestamp?: number;
}

/** Where a record went. */
export interface KafkaDelivery {
  readonly topic: string;
  readonly partition: number;
  /** `undefined` where the broker does not say: with `acks: 'none'`, or when it had the record already. */
  readonly offset: bigint | undefined;
}

export interface KafkaSendOptions {
  /** Gives the record up; one that was sent already may still arrive. */
  readonly signal?: AbortSignal;
  /** In milliseconds. @default deliveryTimeoutMs */
  readonly timeoutMs?: number;
  /** Of several records: when one is not written, neither are the later ones of its key. @default false */
  readonly keepKeyOrder?: boolean;
}

/** Writes records in batches, one request under way for each partition, so that retries change no order. */
export interface KafkaProducer {
  /**
   * Resolves when the record is acknowledged (`acks`); attempts are repeated for `deliveryTimeoutMs`.
   *
   * @throws KafkaUnknownTopicError, KafkaUnauthorizedError, KafkaOversizeError at once; {@link KafkaDeliveryTimeoutError} when time is up
   */
  send(record: KafkaRecord, options?: KafkaSendOptions): Promise<KafkaDelivery>;
  /** The same for many, each with its own outcome; never rejects. */
  sendBatch(
    records: readonly KafkaRecord[],
    options?: KafkaSendOptions,
  ): Promise<PromiseSettledResult<KafkaDelivery>[]>;
  /** Resolves when all that was sent before has its outcome, or the signal aborts. */
  flush(signal?: AbortSignal): Promise<void>;
  /** Records that have no outcome yet. */
  readonly pending: number;
}
