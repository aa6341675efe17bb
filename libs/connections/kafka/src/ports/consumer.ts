/** A record as it was read. */
export interface KafkaMessage {
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** As bytes; several under one name are a list. */
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  /** In milliseconds since 1970. */
  readonly timestamp: number;
}

/** A partition that this member has, from the time it was assigned until it is given up. */
export interface KafkaPartition {
  readonly topic: string;
  readonly partition: number;
  /** Which assignment of the group's this is: that of a later owner has a higher number, as long as the group is not forgotten. */
  readonly generation: number;
  /** Aborts when the partition is given up or lost; nothing can be committed from then on. */
  readonly signal: AbortSignal;
  readonly isPaused: boolean;
  /** No further batches, but for one that is on its way. */
  pause(): void;
  /** Batches again, `consumer.fetchMaxWaitMs` later at most. */
  resume(): void;
  /** Reads on from this offset, once the batch that is being delivered has been. */
  seek(offset: bigint): void;
  /**
   * Notes that all before `next` is done; resolves when the broker has it. It counts for the time of this assignment only: the broker refuses
   * what comes from an earlier owner.
   *
   * @throws {@link KafkaRevokedError} when the partition is another member's by now
   */
  commit(next: bigint, metadata?: string): Promise<void>;
}

/** Records of one partition, in order. */
export interface KafkaBatch {
  readonly partition: KafkaPartition;
  readonly messages: readonly KafkaMessage[];
  /** The end of the partition as the broker knew it then: the offset that the next record gets. */
  readonly highWatermark: bigint;
}

/** Why and for how long partitions may still be worked on. */
export interface KafkaRevocation {
  /** Whether they are gone already, so that nothing can be committed: the group has done without this member. */
  readonly lost: boolean;
  /** Aborts when work has to be abandoned, because the group waits no longer. */
  readonly signal: AbortSignal;
}

/** What a member of a group does. */
export interface KafkaConsumerHandlers {
  /** Nothing is read before this has resolved; when it rejects, the member leaves the group and comes again. */
  assigned?(partitions: readonly KafkaPartition[]): void | Promise<void>;
  /**
   * Takes a batch over. It returns at once, since the other partitions of the broker wait for that; whoever cannot keep up pauses the
   * partition. What it returns is not awaited; an error is logged and told to `failed`, and the batch counts as taken over.
   */
  records(batch: KafkaBatch): void | Promise<void>;
  /** Awaited before the partitions are given up: end the work on them and commit, or abandon it. */
  revoked?(partitions: readonly KafkaPartition[], revocation: KafkaRevocation): void | Promise<void>;
  /** The member could not join, or was cut off; it tries again by itself. */
  failed?(error: unknown): void;
}

export interface KafkaConsumerOptions {
  /** Where a group begins that has committed nothing yet. @default 'earliest' */
  readonly startFrom?: 'earliest' | 'latest';
}

/** A member of a group. It joins, and joins again after every failure, until it is closed. */
export interface KafkaConsumer {
  readonly group: string;
  readonly topics: readonly string[];
  /** What it has now. */
  readonly partitions: readonly KafkaPartition[];
  /** Resolves when it has joined the group for the first time; rejects when it is closed before. */
  readonly joined: Promise<void>;
  /** Why it is not in the group, if it is not. */
  readonly failure: Error | undefined;
  /** Gives the partitions up in order (`revoked`), leaves the group and disconnects. @param signal when to abandon work */
  close(signal?: AbortSignal): Promise<void>;
}
