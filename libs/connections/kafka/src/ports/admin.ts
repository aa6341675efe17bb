/** A topic as it should be. */
export interface KafkaTopic {
  readonly topic: string;
  /** @default the broker's `num.partitions` */
  readonly partitions?: number;
  /** @default the broker's `default.replication.factor` */
  readonly replicationFactor?: number;
  /** As Kafka calls them: `{ 'cleanup.policy': 'compact' }`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** How a topic is, against how it should be. */
export interface KafkaTopicReport {
  readonly topic: string;
  readonly state: 'created' | 'present' | 'differs';
  readonly differences: readonly { readonly what: string; readonly wanted: string; readonly found: string }[];
}

export interface KafkaPartitionState {
  readonly partition: number;
  /** Id of the broker; -1 when it has none, and so can be neither written nor read. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface KafkaTopicState {
  readonly topic: string;
  readonly partitions: readonly KafkaPartitionState[];
  readonly config: Readonly<Record<string, string>>;
}

export interface KafkaLag {
  readonly topic: string;
  readonly partition: number;
  /** `undefined` when the group has committed nothing. */
  readonly committed: bigint | undefined;
  readonly end: bigint;
  /** Records that the group has not committed yet. */
  readonly lag: bigint;
}

/** What is done to a cluster besides writing and reading. */
export interface KafkaAdmin {
  /** Creates what is missing; reports, and does not change, what is there and different. */
  ensureTopics(topics: readonly KafkaTopic[]): Promise<KafkaTopicReport[]>;
  /** @throws KafkaUnknownTopicError */
  describe(topics: readonly string[]): Promise<KafkaTopicState[]>;
  /** How far a group is behind. @param topics @default all that the group has committed for */
  lag(group: string, topics?: readonly string[]): Promise<KafkaLag[]>;
  /** Removes records before an offset; of a partition that is left out, none. */
  deleteRecords(topic: string, before: ReadonlyMap<number, bigint>): Promise<void>;
  /** Names of all topics that this app may see. */
  topics(): Promise<string[]>;
  deleteTopics(topics: readonly string[]): Promise<void>;
}
