import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverSite } from '@core-infra/kernel';
import {
  CompressionCodecs,
  CompressionTypes,
  type Kafka,
  Partitioners,
  type Producer,
  type ProducerConfig,
} from 'kafkajs';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { KafkaUnknownTopicError } from '../../errors.js';
import type { KafkaRecord } from '../../ports/producer.js';
import { partitionOf } from '../../producer/murmur2.js';
import { ProducerNumbers } from '../../producer/producer-numbers.js';
import { type BatchOptions, encodeBatch } from '../../producer/record-batch.js';
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
import { asMessages } from './produce-request.js';
import { forgetOthers, type OwnCluster, withCluster } from './targets.js';

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
/** How often a number is asked for that the brokers cannot give out yet, and how long in between, in milliseconds. */
const NUMBER_ATTEMPTS = 5;
const NUMBER_PAUSE_MS = 200;
/** It has no transactions, but has to say how long they may take, in milliseconds. */
const TRANSACTION_MS = 60_000;

/** A kafkajs producer that is connected when it is first used. */
interface Generation {
  readonly producer: Producer;
  readonly cluster: OwnCluster | undefined;
  /** How it numbers its batches, where it is idempotent, once it is connected. */
  numbers: ProducerNumbers | undefined;
  /** Undefined while nothing is under way to connect it. */
  connected: Promise<void> | undefined;
  /** Batches under way. */
  users: number;
  retired: boolean;
  /** It was disconnected, or is about to be. */
  ended: boolean;
}

/** A batch, for all of its attempts. */
interface SentBatch {
  readonly generation: Generation;
  encoded?: Buffer;
}

/** Sends batches of one partition through kafkajs, which repeats them once at most: the rest is for those to do who know what must not be mixed up. */
export class KafkajsSender implements RecordSender {
  readonly #compression: BatchOptions['compression'];
  #current: Generation | undefined;
  #closed = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly admin: KafkajsAdmin,
    private readonly config: KafkaConfig,
    private readonly at: DriverSite,
    compression: CompressionTypes,
  ) {
    this.#compression = compressionOf(compression);
  }

  async partitionsOf(topic: string): Promise<readonly PartitionLeader[]> {
    const partitions = await this.admin.partitionsOf(topic);
    if (partitions.length === 0) throw new KafkaUnknownTopicError(topic);
    return partitions;
  }

  choose(record: KafkaRecord, partitions: readonly PartitionLeader[]): number | undefined {
    if (record.partition !== undefined) return record.partition;
    if (record.key === undefined || record.key === null) return undefined;
    return partitionOf(record.key, partitions.length);
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
    const batch: SentBatch = { generation };
    return {
      send: (topic, partition, records, bytes) => this.#send(batch, topic, partition, records, bytes),
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
    if (!old) return;
    // What is under way may connect it once more.
    old.retired = true;
    await this.#disconnect(old);
  }

  #send(batch: SentBatch, topic: string, partition: number, records: readonly KafkaRecord[], bytes: number) {
    const { operations, id } = this.at;
    const produce = () => this.#produce(batch, topic, partition, records, bytes);
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
    batch: SentBatch,
    topic: string,
    partition: number,
    records: readonly KafkaRecord[],
    bytes: number,
  ): Promise<bigint | undefined> {
    const { generation } = batch;
    let isConnected = false;
    try {
      await this.#connect(generation);
      isConnected = true;
      batch.encoded ??= await encodeBatch(records, {
        numbers: generation.numbers?.of(topic, partition),
        now: Date.now(),
        bytes,
        compression: this.#compression,
      });
      const [written] = await generation.producer.send({
        topic,
        messages: asMessages(partition, batch.encoded),
        acks: acknowledgements[this.config.acks],
        timeout: this.config.requestTimeoutMs,
      });
      // kafkajs resolves with what it was told; without a word of this partition nothing says that it was written.
      if (!written && this.config.acks !== 'none')
        throw new SendFailure('unknown', new Error('the broker did not acknowledge the batch'));
      generation.numbers?.count(topic, partition, records.length);
      return written?.baseOffset === undefined || written.baseOffset === '-1' ? undefined : BigInt(written.baseOffset);
    } catch (error) {
      if (error instanceof SendFailure) throw error;
      const isAnothers = await forgetOthers(generation.cluster, topic, error);
      const found = isAnothers ? 'later' : outcomeOf(rootOf(error));
      if (found === 'duplicate') generation.numbers?.count(topic, partition, records.length);
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
      // Batches are numbered here: kafkajs would let those of all partitions of a broker wait for each other.
      idempotent: false,
      allowAutoTopicCreation: false,
      metadataMaxAge: this.config.metadataMaxAgeMs,
      // Where the broker knows it again, at once with what was learnt from the first attempt.
      retry: { retries: this.config.idempotent ? 1 : 0 },
    };
    const { made: producer, cluster } = withCluster(this.kafka, () => this.kafka.producer(options));
    const generation: Generation = {
      producer,
      cluster,
      numbers: undefined,
      connected: undefined,
      users: 0,
      retired: this.#closed,
      ended: false,
    };
    this.#current = generation;
    return generation;
  }

  #connect(generation: Generation): Promise<void> {
    generation.connected ??= this.#begin(generation).catch((error: unknown) => {
      generation.connected = undefined;
      throw error;
    });
    return generation.connected;
  }

  async #begin(generation: Generation): Promise<void> {
    try {
      await generation.producer.connect();
      if (this.config.idempotent) generation.numbers ??= await numbersFrom(generation.cluster);
    } finally {
      // Connections that were opened meanwhile are not known to who has disconnected it.
      if (generation.ended) await this.#disconnect(generation);
    }
  }

  async #disconnect(generation: Generation): Promise<void> {
    generation.ended = true;
    try {
      await generation.producer.disconnect();
    } catch (error) {
      this.at.logger.debug(`A producer did not disconnect cleanly: ${(error as Error).message}`);
    }
  }
}

/** Another producer, in the eyes of the brokers. */
async function numbersFrom(cluster: OwnCluster | undefined): Promise<ProducerNumbers> {
  if (!cluster) throw new Error('kafkajs keeps its cluster where it is not found: it is another version than 2.2.');
  for (let attempt = 1; ; attempt += 1) {
    try {
      await cluster.refreshMetadataIfNecessary();
      const broker = await cluster.findControllerBroker();
      const { producerId, producerEpoch } = await broker.initProducerId({ transactionTimeout: TRANSACTION_MS });
      return new ProducerNumbers(BigInt(producerId), producerEpoch);
    } catch (error) {
      if (!/COORDINATOR|LOAD_IN_PROGRESS/.test(String(rootOf(error).type)) || attempt === NUMBER_ATTEMPTS) throw error;
      await sleep(NUMBER_PAUSE_MS, undefined, { ref: false });
    }
  }
}

function compressionOf(type: CompressionTypes): BatchOptions['compression'] {
  if (type === CompressionTypes.None) return undefined;
  const codec = (CompressionCodecs as Record<number, () => { compress(encoder: { buffer: Buffer }): Promise<Buffer> }>)[
    type
  ]!();
  return { type, compress: buffer => codec.compress({ buffer }) };
}

function outcomeOf(root: KafkajsError): SendOutcome {
  const known = root.type === undefined ? undefined : outcomes[root.type];
  if (known) return known;
  if (root.type !== undefined) return root.retriable ? 'unknown' : 'refused';
  // A broker that nobody could connect to has not been sent anything, but that cannot be told from one that was lost.
  if (root.name === 'KafkaJSNonRetriableError' || root.name === 'KafkaJSSASLAuthenticationError') return 'refused';
  return root.name.startsWith('KafkaJS') || root.code !== undefined ? 'unknown' : 'refused';
}
