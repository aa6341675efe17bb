import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverSite } from '@core-infra/kernel';
import { type Admin, ConfigResourceTypes, type Kafka } from 'kafkajs';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { backoff } from '../../config/retry.config.js';
import type { KafkaAdmin, KafkaLag, KafkaTopic, KafkaTopicReport, KafkaTopicState } from '../../ports/admin.js';
import { aborted } from '../../aborted.js';
import { KafkaClosedError, KafkaUnknownTopicError } from '../../errors.js';
import type { KafkaBounds } from '../../ports/reader.js';
import { isComing } from './commit.js';
import { type Attempt, diagnose } from './diagnose.js';
import { rootOf } from './internals.js';
import { forgetOthers, type TargetedCluster, withCluster } from './targets.js';

/** Where `DescribeConfigs` says that a value was set on the topic itself. */
const SET_ON_TOPIC = 1;
/** To make a topic; one that this account may not see looks as if it were missing. */
const MAKE = 'CREATE, or where the topic is there already WRITE or READ, and DESCRIBE';
/** How often a question is asked while a group's coordinator, or a topic's leader, is not ready. */
const PATIENCE = 5;

interface Question extends Omit<Attempt, 'config'> {
  /** Whether the topic may be so new that brokers do not agree on it yet. */
  readonly settles?: boolean;
}

export class KafkajsAdmin implements KafkaAdmin {
  readonly #admin: Admin;
  readonly #cluster: TargetedCluster | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #connected: Promise<void> | undefined;
  #closed = false;

  constructor(
    kafka: Kafka,
    private readonly config: KafkaConfig,
    private readonly at: DriverSite,
  ) {
    const { made, cluster } = withCluster(kafka, () => kafka.admin({ retry: { retries: 2 } }));
    this.#admin = made;
    this.#cluster = cluster;
  }

  /** Resolves when a broker answers and knows this app; rejects with the reason why not. */
  connect(): Promise<void> {
    this.#connected ??= this.#admin.connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw diagnose(error, { config: this.config, action: 'connect' });
    });
    return this.#connected;
  }

  /** An attempt to connect that is under way is waited for, as kafkajs cannot be told to give it up. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closed = true;
    await Promise.race([this.#connected?.catch(() => undefined), aborted(signal)]);
    await this.#admin.disconnect();
    // A question that is under way, such as whether a new topic has its leaders, connects once more when it is asked again.
    for (const asked of this.#underWay) void asked.catch(() => undefined).then(() => this.#admin.disconnect());
  }

  async cluster() {
    return this.#ask('describe', { action: 'describe the cluster' }, admin => admin.describeCluster());
  }

  async partitionsOf(topic: string) {
    const { topics } = await this.#ask('metadata', { action: `describe the topic "${topic}"`, topic }, admin =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    );
    // In the order of their numbers, as a key's partition is a number.
    return (topics.find(({ name }) => name === topic)?.partitions ?? []).toSorted(
      (one, other) => one.partitionId - other.partitionId,
    );
  }

  async topics(): Promise<string[]> {
    return this.#ask('metadata', { action: 'list topics' }, admin => admin.listTopics());
  }

  async describe(topics: readonly string[]): Promise<KafkaTopicState[]> {
    const partitions = await Promise.all(topics.map(topic => this.partitionsOf(topic)));
    const configs = await this.#configs(topics, false);
    return topics.map((topic, index) => ({
      topic,
      partitions: (partitions[index] ?? []).map(({ partitionId, leader, replicas, isr }) => ({
        partition: partitionId,
        leader,
        replicas,
        inSync: isr,
      })),
      config: configs.get(topic) ?? {},
    }));
  }

  /** What the topic takes at once, set on it or the broker's default. */
  async maxMessageBytes(topic: string): Promise<number | undefined> {
    const value = (await this.#configs([topic], true)).get(topic)?.['max.message.bytes'];
    return value === undefined ? undefined : Number(value);
  }

  async ensureTopics(wanted: readonly KafkaTopic[]): Promise<KafkaTopicReport[]> {
    const known = new Set(await this.topics());
    const missing = wanted.filter(({ topic }) => !known.has(topic));
    for (const { topic, partitions, replicationFactor, config = {} } of missing)
      await this.#ask('create', { action: `create the topic "${topic}"`, topic, needed: MAKE, settles: true }, admin =>
        admin.createTopics({
          topics: [
            {
              topic,
              ...(partitions !== undefined && { numPartitions: partitions }),
              ...(replicationFactor !== undefined && { replicationFactor }),
              configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
            },
          ],
          waitForLeaders: true,
          timeout: this.config.requestTimeoutMs,
        }),
      );
    const present = wanted.filter(({ topic }) => known.has(topic));
    const differences = await this.#compare(present);
    return wanted.map(({ topic }) => {
      const found = differences.get(topic);
      const state = !known.has(topic) ? 'created' : found?.length ? 'differs' : 'present';
      return { topic, state, differences: found ?? [] };
    });
  }

  async lag(group: string, topics?: readonly string[]): Promise<KafkaLag[]> {
    const attempt = { action: `read the offsets of the group "${group}"`, group };
    const committed = await this.#ask('offsets', attempt, admin =>
      admin.fetchOffsets({ groupId: group, ...(topics && { topics: [...topics] }) }),
    );
    const lags = await Promise.all(
      committed.map(async ({ topic, partitions }) => {
        const ends = await this.#ends(topic, { ...attempt, topic });
        return partitions.flatMap(({ partition, offset }): KafkaLag[] => {
          const at = ends.find(end => end.partition === partition);
          if (!at) return [];
          const end = BigInt(at.high);
          const isCommitted = BigInt(offset) >= 0n;
          const from = isCommitted ? BigInt(offset) : BigInt(at.low);
          const lag = end > from ? end - from : 0n;
          return [{ topic, partition, committed: isCommitted ? from : undefined, end, lag }];
        });
      }),
    );
    return lags.flat();
  }

  async bounds(topic: string): Promise<KafkaBounds[]> {
    const found = await this.#ends(topic, { action: `read the topic "${topic}"`, topic });
    return found
      .map(({ partition, low, high }) => ({ partition, start: BigInt(low), end: BigInt(high) }))
      .sort((one, other) => one.partition - other.partition);
  }

  async deleteRecords(topic: string, before: ReadonlyMap<number, bigint>): Promise<void> {
    await this.#ask('delete', { action: `delete records of the topic "${topic}"`, topic, needed: 'DELETE' }, admin =>
      admin.deleteTopicRecords({
        topic,
        partitions: [...before].map(([partition, offset]) => ({ partition, offset: String(offset) })),
      }),
    );
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    const [topic] = topics;
    await this.#ask('delete', { action: 'delete topics', topic }, admin =>
      admin.deleteTopics({ topics: [...topics], timeout: this.config.requestTimeoutMs }),
    );
  }

  /** Where the topic's partitions begin and end. */
  #ends(topic: string, attempt: Question) {
    return this.#ask('offsets', { ...attempt, topic, settles: true }, admin => admin.fetchTopicOffsets(topic));
  }

  async #compare(
    wanted: readonly KafkaTopic[],
  ): Promise<Map<string, { what: string; wanted: string; found: string }[]>> {
    const configs = await this.#configs(
      wanted.map(({ topic }) => topic),
      true,
    );
    const compared = await Promise.all(
      wanted.map(async ({ topic, partitions, replicationFactor, config = {} }) => {
        const found = await this.partitionsOf(topic);
        const copies = found[0]?.replicas.length ?? 0;
        const pairs: [string, string | undefined, string][] = [
          ['partitions', partitions?.toString(), String(found.length)],
          ['replicationFactor', replicationFactor?.toString(), String(copies)],
          ...Object.entries(config).map(([name, value]): [string, string, string] => [
            name,
            value,
            configs.get(topic)?.[name] ?? '',
          ]),
        ];
        const differing = pairs.flatMap(([what, want, is]) =>
          want === undefined || want === is ? [] : [{ what, wanted: want, found: is }],
        );
        return [topic, differing] as const;
      }),
    );
    return new Map(compared);
  }

  /** Settings of topics: those that were set on them, or all with the defaults. */
  async #configs(topics: readonly string[], all: boolean): Promise<Map<string, Record<string, string>>> {
    if (topics.length === 0) return new Map();
    const { resources } = await this.#ask('describe', { action: 'read the configuration of topics' }, admin =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: topics.map(name => ({ type: ConfigResourceTypes.TOPIC, name })),
      }),
    );
    return new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        Object.fromEntries(
          configEntries
            .filter(({ configSource }) => all || Number(configSource) === SET_ON_TOPIC)
            .map(({ configName, configValue }) => [configName, configValue]),
        ),
      ]),
    );
  }

  async #ask<Answer>(
    operation: string,
    { settles = false, ...attempt }: Question,
    question: (admin: Admin) => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#closed) throw new KafkaClosedError(this.at.id);
    const run = async (): Promise<Answer> => {
      await this.connect();
      for (let tried = 1; ; tried += 1) {
        try {
          return await question(this.#admin);
        } catch (error) {
          const isAnothers = await forgetOthers(this.#cluster, attempt.topic, error);
          const isNew = settles && isSettling(error);
          if (!(isAnothers || isNew || isComing(error)) || tried === PATIENCE || this.#closed)
            throw diagnose(isNew ? new KafkaUnknownTopicError(attempt.topic ?? '', { cause: error }) : error, {
              ...attempt,
              config: this.config,
            });
          if (isNew) await this.#cluster?.refreshMetadata().catch(() => undefined); // the next attempt tells
          await sleep(backoff(this.config.retry)(tried), undefined, { ref: false });
        }
      }
    };
    const { operations, id } = this.at;
    const asked = operations.hasSubscribers
      ? operations.tracePromise(run, { component: 'kafka', connection: id, operation })
      : run();
    this.#underWay.add(asked);
    return asked.finally(() => this.#underWay.delete(asked));
  }
}

/** While a topic is made, or its partitions move, brokers and what is known of them differ; kafkajs stumbles over a topic without partitions. */
function isSettling(error: unknown): boolean {
  const { type, name } = rootOf(error);
  return name === 'TypeError' || /^(UNKNOWN_TOPIC_OR_PARTITION|LEADER_NOT_AVAILABLE|NOT_LEADER_)/.test(String(type));
}
