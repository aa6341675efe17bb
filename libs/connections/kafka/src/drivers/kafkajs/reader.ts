import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverSite } from '@core-infra/kernel';
import type { Kafka } from 'kafkajs';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { backoff } from '../../config/retry.config.js';
import { KafkaClosedError, KafkaRefusedError } from '../../errors.js';
import type { KafkaMessage } from '../../ports/consumer.js';
import type { KafkaBounds, KafkaReader } from '../../ports/reader.js';
import type { KafkajsAdmin } from './admin.js';
import { messageOf } from './batch.js';
import { diagnose } from './diagnose.js';
import { type KafkajsError, rootOf } from './internals.js';
import type { Fetched, ReadableCluster } from './internals.js';
import { forgetOthers } from './targets.js';

/** How often a fetch is tried while its partition moves to another broker, or that is away for a moment. */
const ATTEMPTS = 8;
/** How long a broker may hold an answer back while there is nothing, in milliseconds. */
const WAIT_MS = 100;
const READ_UNCOMMITTED = 0;

/** Reads through the cluster that kafkajs hands to the partition assigner of a consumer, which never joins. */
export class KafkajsReader implements KafkaReader {
  readonly #backoff: (attempt: number) => number;
  #connected: Promise<ReadableCluster> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly admin: KafkajsAdmin,
    private readonly config: KafkaConfig,
    private readonly at: DriverSite,
  ) {
    this.#backoff = backoff(config.retry);
  }

  bounds(topic: string): Promise<KafkaBounds[]> {
    return this.admin.bounds(topic);
  }

  async *read(
    topic: string,
    partition: number,
    { from, to }: { readonly from: bigint; readonly to: bigint },
    signal?: AbortSignal,
  ): AsyncGenerator<readonly KafkaMessage[]> {
    let silent = 0;
    for (let at = from; at < to;) {
      const { messages, highWatermark } = await this.#fetch(topic, partition, at, signal);
      const last = messages.at(-1);
      if (!last) {
        // One that does not know yet how far the partition goes is asked again.
        if (BigInt(highWatermark) >= to && (silent += 1) === ATTEMPTS)
          throw new KafkaRefusedError(`read the topic "${topic}"`, `it has no record from ${at} on, and ends at ${to}`);
        continue;
      }
      silent = 0;
      const found = messages.filter(({ offset, isControlRecord }) => {
        const position = BigInt(offset);
        return position >= at && position < to && !isControlRecord;
      });
      const next = BigInt(last.offset) + 1n;
      // Whole batches are sent, of which only the first records may be left after a compaction, all before what was asked for.
      at = next > at ? next : at + 1n;
      if (found.length > 0) yield found.map(messageOf);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
    const cluster = await this.#connected?.catch(() => undefined);
    await cluster?.disconnect().catch((error: unknown) => {
      this.at.logger.debug(`A reader did not disconnect cleanly: ${(error as Error).message}`);
    });
  }

  async #fetch(topic: string, partition: number, from: bigint, signal: AbortSignal | undefined): Promise<Fetched> {
    const { operations, id } = this.at;
    const run = (): Promise<Fetched> => this.#fetchRepeatedly(topic, partition, from, signal);
    return operations.hasSubscribers
      ? operations.tracePromise(run, { component: 'kafka', connection: id, operation: 'fetch', resource: topic })
      : run();
  }

  async #fetchRepeatedly(
    topic: string,
    partition: number,
    from: bigint,
    signal: AbortSignal | undefined,
  ): Promise<Fetched> {
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      if (this.#closed) throw new KafkaClosedError(this.at.id);
      try {
        return await this.#inTurn(() => this.#fetchOnce(topic, partition, from));
      } catch (error) {
        const isAnothers = await forgetOthers(await this.#connected, topic, error);
        if (!(isAnothers || mayPass(rootOf(error))) || attempt === ATTEMPTS)
          throw diagnose(error, { config: this.config, action: `read the topic "${topic}"`, topic });
        await sleep(this.#backoff(attempt), undefined, { ref: false });
        await this.#refresh();
      }
    }
  }

  /** One request at a time: kafkajs opens a connection for each of those that find none, and forgets all but one. */
  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #fetchOnce(topic: string, partition: number, from: bigint): Promise<Fetched> {
    const cluster = await this.#connect();
    await cluster.addMultipleTargetTopics([topic]);
    await cluster.refreshMetadataIfNecessary();
    const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
    if (nodeId === undefined) throw Object.assign(new Error('It has no leader'), { type: 'LEADER_NOT_AVAILABLE' });
    const broker = await cluster.findBroker({ nodeId });
    const { fetchMaxBytes, fetchMaxBytesPerPartition } = this.config.consumer;
    const { responses } = await broker.fetch({
      maxWaitTime: WAIT_MS,
      minBytes: 1,
      maxBytes: fetchMaxBytes,
      isolationLevel: READ_UNCOMMITTED,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes: fetchMaxBytesPerPartition }] }],
    });
    return responses[0]!.partitions[0]!;
  }

  async #refresh(): Promise<void> {
    try {
      await (await this.#connect()).refreshMetadata();
    } catch (error) {
      // The next fetch meets it again, and tells.
      this.at.logger.debug(`The brokers did not say where partitions are: ${(error as Error).message}`);
    }
  }

  #connect(): Promise<ReadableCluster> {
    this.#connected ??= this.#open().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #open(): Promise<ReadableCluster> {
    let cluster!: ReadableCluster;
    const consumer = this.kafka.consumer({
      groupId: 'none',
      allowAutoTopicCreation: false,
      metadataMaxAge: this.config.metadataMaxAgeMs,
      partitionAssigners: [
        given => {
          cluster = given.cluster as unknown as ReadableCluster;
          return {
            name: 'none',
            version: 0,
            assign: () => Promise.resolve([]),
            protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
          };
        },
      ],
    });
    await consumer.connect();
    return cluster;
  }
}

/** Whether the same may be had soon, perhaps from another broker. */
function mayPass({ type, name, retriable }: KafkajsError): boolean {
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
  if (type !== undefined) return retriable !== false;
  return /^KafkaJS(Connection|RequestTimeout|BrokerNotFound|Lock|NoBroker|TopicMetadata|MetadataNotLoaded|NumberOfRetries)/.test(
    name,
  );
}
