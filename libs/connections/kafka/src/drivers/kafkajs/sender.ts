import type { DriverSite } from '@core-infra/kernel';
import {
  type CompressionTypes,
  type Kafka,
  type Message,
  Partitioners,
  type Producer,
  type ProducerConfig,
} from 'kafkajs';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { KafkaUnknownTopicError } from '../../errors.js';
import type { KafkaRecord } from '../../ports/producer.js';
import {
  type PartitionLeader,
  type RecordSender,
  SendFailure,
  type SendOutcome,
  type SendSession,
} from '../../producer/record-sender.js';
import { diagnose } from './diagnose.js';
import { type KafkajsError, rootOf } from './internals.js';
import type { KafkajsAdmin } from './admin.js';
import { forgetOthers, type TargetedCluster, withCluster } from './targets.js';

const outcomes: Readonly<Record<string, SendOutcome>> = {
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  DUPLICATE_SEQUENCE_NUMBER: 'duplicate',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'out-of-step',
  UNKNOWN_PRODUCER_ID: 'out-of-step',
  INVALID_PRODUCER_EPOCH: 'out-of-step',
  INVALID_PRODUCER_ID_MAPPING: 'out-of-step',
  NOT_LEADER_FOR_PARTITION: 'later',
  LEADER_NOT_AVAILABLE: 'later',
  NOT_ENOUGH_REPLICAS: 'later',
  UNKNOWN_TOPIC_OR_PARTITION: 'later',
  KAFKA_STORAGE_ERROR: 'later',
};
const acknowledgements = { all: -1, leader: 1, none: 0 };

/** A kafkajs producer that is connected when it is first used. */
interface Generation {
  readonly producer: Producer;
  readonly cluster: TargetedCluster | undefined;
  /** Undefined while nothing is under way to connect it. */
  connected: Promise<void> | undefined;
  /** Batches under way. */
  users: number;
  retired: boolean;
}

/** Sends batches of one partition through kafkajs, which repeats them once at most: the rest is for those to do who know what must not be mixed up. */
export class KafkajsSender implements RecordSender {
  readonly #partition = Partitioners.DefaultPartitioner();
  #current: Generation | undefined;
  #closed = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly admin: KafkajsAdmin,
    private readonly config: KafkaConfig,
    private readonly at: DriverSite,
    private readonly compression: CompressionTypes,
  ) {}

  async partitionsOf(topic: string): Promise<readonly PartitionLeader[]> {
    const partitions = await this.admin.partitionsOf(topic);
    if (partitions.length === 0) throw new KafkaUnknownTopicError(topic);
    return partitions;
  }

  choose(record: KafkaRecord, partitions: readonly PartitionLeader[]): number | undefined {
    if (record.partition !== undefined) return record.partition;
    if (record.key === undefined || record.key === null) return undefined;
    const message = { key: record.key, value: record.value } as Message;
    return this.#partition({ topic: record.topic, partitionMetadata: partitions as never, message });
  }

  async limitOf(topic: string): Promise<number | undefined> {
    try {
      return await this.admin.maxMessageBytes(topic);
    } catch (error) {
      // It takes a right of its own to ask.
      this.at.logger.debug(`The limit of the topic "${topic}" is not told: ${(error as Error).message}`);
      return undefined;
    }
  }

  open(): SendSession {
    const generation = this.#generation();
    generation.users += 1;
    let isOpen = true;
    return {
      send: (topic, partition, records) => this.#send(generation, topic, partition, records),
      release: () => {
        if (!isOpen) return;
        isOpen = false;
        generation.users -= 1;
        if (generation.retired && generation.users === 0) void this.#disconnect(generation);
      },
    };
  }

  /** Resolves when the producer that is sent with is connected and, where it is idempotent, has its number. */
  async connect(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#connect(this.#generation());
    } catch (error) {
      throw diagnose(error, { config: this.config, action: 'connect a producer' });
    }
  }

  renew(): void {
    const old = this.#current;
    if (!old) return;
    this.#current = undefined;
    old.retired = true;
    if (old.users === 0) void this.#disconnect(old);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const old = this.#current;
    this.#current = undefined;
    if (old) await this.#disconnect(old);
  }

  #send(generation: Generation, topic: string, partition: number, records: readonly KafkaRecord[]) {
    const { operations, id } = this.at;
    const produce = () => this.#produce(generation, topic, partition, records);
    return operations.hasSubscribers
      ? operations.tracePromise(produce, {
          component: 'kafka',
          connection: id,
          operation: 'produce',
          resource: topic,
        })
      : produce();
  }

  async #produce(
    generation: Generation,
    topic: string,
    partition: number,
    records: readonly KafkaRecord[],
  ): Promise<bigint | undefined> {
    let isConnected = false;
    try {
      await this.#connect(generation);
      isConnected = true;
      const [written] = await generation.producer.send({
        topic,
        messages: records.map(record => messageOf(record, partition)),
        acks: acknowledgements[this.config.acks],
        timeout: this.config.requestTimeoutMs,
        compression: this.compression,
      });
      // kafkajs resolves with what it was told; without a word of this partition nothing says that it was written.
      if (this.config.acks === 'none') return undefined;
      if (!written) throw new SendFailure('unknown', new Error('the broker did not acknowledge the batch'));
      return written.baseOffset === undefined || written.baseOffset === '-1' ? undefined : BigInt(written.baseOffset);
    } catch (error) {
      if (error instanceof SendFailure) throw error;
      const isAnothers = await forgetOthers(generation.cluster, topic, error);
      const found = isAnothers ? 'later' : outcomeOf(rootOf(error));
      // What was not connected was not sent.
      const outcome = found === 'unknown' && !isConnected ? 'later' : found;
      throw new SendFailure(
        outcome,
        diagnose(error, { config: this.config, action: `write to the topic "${topic}"`, topic }),
      );
    }
  }

  #generation(): Generation {
    if (this.#current) return this.#current;
    const options: ProducerConfig = {
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: this.config.idempotent,
      allowAutoTopicCreation: false,
      metadataMaxAge: this.config.metadataMaxAgeMs,
      // The least that an idempotent one may have.
      retry: { retries: this.config.idempotent ? 1 : 0 },
    };
    const { made: producer, cluster } = withCluster(this.kafka, () => this.kafka.producer(options));
    const generation: Generation = { producer, cluster, connected: undefined, users: 0, retired: this.#closed };
    this.#current = generation;
    return generation;
  }

  #connect(generation: Generation): Promise<void> {
    generation.connected ??= generation.producer.connect().catch((error: unknown) => {
      generation.connected = undefined;
      throw error;
    });
    return generation.connected;
  }

  async #disconnect({ producer }: Generation): Promise<void> {
    try {
      await producer.disconnect();
    } catch (error) {
      this.at.logger.debug(`A producer did not disconnect cleanly: ${(error as Error).message}`);
    }
  }
}

function messageOf({ key, value, headers, timestamp }: KafkaRecord, partition: number): Message {
  return {
    key: key ?? null,
    value,
    partition,
    ...(headers && { headers: headers as Message['headers'] }),
    ...(timestamp !== undefined && { timestamp: String(timestamp) }),
  };
}

function outcomeOf(root: KafkajsError): SendOutcome {
  const known = root.type === undefined ? undefined : outcomes[root.type];
  if (known) return known;
  if (root.type !== undefined) return root.retriable ? 'unknown' : 'refused';
  // A broker that nobody could connect to has not been sent anything, but that cannot be told from one that was lost.
  if (root.name === 'KafkaJSNonRetriableError' || root.name === 'KafkaJSSASLAuthenticationError') return 'refused';
  return root.name.startsWith('KafkaJS') || root.code !== undefined ? 'unknown' : 'refused';
}
