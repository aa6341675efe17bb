import { setTimeout as sleep } from 'node:timers/promises';
import { type DriverSite, reasonOf } from '@core-infra/kernel';
import { type Consumer, type EachBatchPayload, PartitionAssigners } from 'kafkajs';
import type { KafkaConfig } from '../../config/kafka.config.js';
import { backoff } from '../../config/retry.config.js';
import { aborted } from '../../aborted.js';
import { CommitQueue } from '../../consumer/commit-queue.js';
import type { PartitionControl } from '../../consumer/owned-partition.js';
import { Ownership } from '../../consumer/ownership.js';
import { KafkaClosedError, KafkaRevokedError } from '../../errors.js';
import { kafkaEvents } from '../../events.js';
import type {
  KafkaConsumer,
  KafkaConsumerHandlers,
  KafkaConsumerOptions,
  KafkaPartition,
} from '../../ports/consumer.js';
import type { KafkajsAdmin } from './admin.js';
import { balanced } from './assigner.js';
import { batchOf } from './batch.js';
import { commitOnce, isComing, isCommitRetryable, isFenced } from './commit.js';
import { diagnose } from './diagnose.js';
import { type GroupCluster, rootOf } from './internals.js';
import { type Membership, watchMembership } from './membership.js';
import { decodeHere } from './own-decoding.js';
import { makeKafka } from './options.js';

/** How often kafkajs tries to go on before we join anew, with pauses between. */
const ATTEMPTS = 8;
/** How often the group's coordinator may not be ready before that is told. */
const PATIENCE = 5;

/** What a member of a group is told. */
export interface MemberSettings {
  readonly group: string;
  readonly topics: readonly string[];
  readonly handlers: KafkaConsumerHandlers;
  readonly options: KafkaConsumerOptions;
  readonly config: KafkaConfig;
  readonly at: DriverSite;
  readonly admin: KafkajsAdmin;
  readonly onClosed: (member: KafkajsGroupMember) => void;
}

/** A member of a group that comes back after every failure. */
export class KafkajsGroupMember implements KafkaConsumer, PartitionControl {
  readonly joined: Promise<void>;
  readonly #ownership: Ownership;
  readonly #backoff: (attempt: number) => number;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #consumer: Consumer | undefined;
  #cluster: GroupCluster | undefined;
  #membership: Membership | undefined;
  #commits: CommitQueue;
  #failure: Error | undefined;
  #joins = 0;
  #resolveJoined!: () => void;
  #rejectJoined!: (reason: unknown) => void;
  /** Ends the session that is under way. */
  #interrupt: ((error: unknown) => void) | undefined;

  constructor(private readonly settings: MemberSettings) {
    const { config, group, handlers, at } = settings;
    this.#backoff = backoff(config.retry);
    this.joined = new Promise((resolve, reject) => {
      this.#resolveJoined = resolve;
      this.#rejectJoined = reject;
    });
    this.joined.catch(() => undefined); // nobody has to wait for it
    this.#commits = this.#newCommits();
    this.#ownership = new Ownership({
      group,
      handlers,
      rebalanceTimeoutMs: config.consumer.rebalanceTimeoutMs,
      heartbeatIntervalMs: config.consumer.heartbeatIntervalMs,
      heartbeat: () => this.#heartbeat(),
      settleCommits: () => this.#commits.idle(),
      closeCommits: reason => this.#commits.close(reason),
      fail: error => this.#interrupt?.(error),
      onChange: (kind, partitions) => {
        at.logger.debug(`${group}: ${partitions} partitions ${kind}`);
        if (kafkaEvents.hasSubscribers) kafkaEvents.publish({ kind, connection: at.id, group, partitions });
      },
    });
    this.#ended = this.#run();
  }

  get group(): string {
    return this.settings.group;
  }

  get topics(): readonly string[] {
    return this.settings.topics;
  }

  get partitions(): readonly KafkaPartition[] {
    return this.#ownership.partitions;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  async close(signal?: AbortSignal): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#rejectJoined(new KafkaClosedError(`${this.settings.at.id}, group "${this.group}"`));
      await this.#ownership.giveUp(false, signal);
      this.#stopping.abort();
      this.#interrupt?.(undefined);
    }
    // kafkajs waits for its last request, and may be kept waiting.
    await Promise.race([this.#ended, ...(signal ? [aborted(signal)] : [])]);
  }

  pause(topic: string, partition: number): void {
    this.#consumer?.pause([{ topic, partitions: [partition] }]);
  }

  resume(topic: string, partition: number): void {
    this.#consumer?.resume([{ topic, partitions: [partition] }]);
  }

  seek(topic: string, partition: number, offset: bigint): void {
    this.#consumer?.seek({ topic, partition, offset: String(offset) });
  }

  commit(topic: string, partition: number, next: bigint, metadata?: string): Promise<void> {
    return this.#commits.add(topic, partition, next, metadata);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const before = this.#joins;
      const error = await this.#session();
      await this.#ownership.giveUp(true);
      if (signal.aborted) break;
      // One that had joined begins to count again.
      if (before !== this.#joins) attempt = 1;
      await this.#report(error, attempt);
      await sleep(this.#backoff(attempt), undefined, { signal, ref: false }).catch(() => undefined);
    }
    this.settings.onClosed(this);
  }

  /** From joining to being cut off or closed; resolves with the reason. */
  async #session(): Promise<unknown> {
    const { config, at, group, topics, options, handlers } = this.settings;
    const { consumer: own, metadataMaxAgeMs } = config;
    const over = new Promise<unknown>(resolve => (this.#interrupt = resolve));
    let consumer: Consumer | undefined;
    try {
      consumer = makeKafka(config, at).consumer({
        groupId: group,
        allowAutoTopicCreation: false,
        metadataMaxAge: metadataMaxAgeMs,
        sessionTimeout: own.sessionTimeoutMs,
        rebalanceTimeout: own.rebalanceTimeoutMs,
        heartbeatInterval: own.heartbeatIntervalMs,
        maxWaitTimeInMs: own.fetchMaxWaitMs,
        maxBytes: own.fetchMaxBytes,
        maxBytesPerPartition: own.fetchMaxBytesPerPartition,
        retry: { retries: ATTEMPTS, restartOnFailure: () => Promise.resolve(false) },
        partitionAssigners: [
          given => {
            this.#cluster = watchMembership(given.cluster, {
              beforeLeaving: isLost => this.#ownership.giveUp(isLost),
              joined: membership => (this.#membership = membership),
              left: () => (this.#membership = undefined),
            });
            decodeHere(this.#cluster);
            return balanced(given);
          },
          // For the time of a deployment in which others of the group are still plain kafkajs.
          PartitionAssigners.roundRobin,
        ],
      });
      this.#consumer = consumer;
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment));
      consumer.on(consumer.events.CRASH, ({ payload }) => this.#interrupt?.(payload.error));
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: options.startFrom !== 'latest' });
      await this.#leaveBehind();
      await consumer.run({ autoCommit: false, eachBatch: payload => this.#take(payload, handlers) });
      return await over;
    } catch (error) {
      return error;
    } finally {
      this.#interrupt = undefined;
      await consumer?.disconnect().catch((error: unknown) => {
        at.logger.debug(`${group}: a member did not disconnect cleanly: ${(error as Error).message}`);
      });
      this.#consumer = undefined;
    }
  }

  /** Who could not leave when it was cut off is waited for by the whole group, until its session has timed out. */
  async #leaveBehind(): Promise<void> {
    const ghost = this.#membership;
    if (!ghost) return;
    const coordinator = await this.#cluster?.findGroupCoordinator({ groupId: this.group });
    await coordinator?.leaveGroup({ groupId: this.group, memberId: ghost.memberId }).catch((error: unknown) => {
      if (!isFenced(error)) throw error;
    });
    this.#membership = undefined;
  }

  #joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    this.#failure = undefined;
    this.#joins += 1;
    this.#commits = this.#newCommits();
    const partitions = Object.entries(assignment).flatMap(([topic, own]) =>
      own.map(partition => ({ topic, partition })),
    );
    this.#ownership.take(partitions, this.#membership?.generationId ?? 0, this);
    this.#resolveJoined();
  }

  #take({ batch }: EachBatchPayload, handlers: KafkaConsumerHandlers): Promise<void> {
    const { at, group } = this.settings;
    const partition = this.#ownership.find(batch.topic, batch.partition);
    // It is read again by whoever has the partition next.
    if (!partition) return Promise.resolve();
    const read = batchOf(batch, partition);
    const { length: records } = read.messages;
    if (kafkaEvents.hasSubscribers)
      kafkaEvents.publish({ kind: 'consumed', connection: at.id, topic: batch.topic, group, records });
    const taken = (async () => handlers.records(read))();
    taken.catch((error: unknown) => {
      // Somebody else has it now, and reads it.
      if (error instanceof KafkaRevokedError) return;
      at.logger.error(`${at.id}, group "${group}": a batch failed: ${reasonOf(error)}`);
      handlers.failed?.(error);
    });
    return Promise.resolve();
  }

  async #report(error: unknown, attempt: number): Promise<void> {
    const { config, at, group, topics, admin, handlers } = this.settings;
    let found = diagnose(error, { config, action: `let this app into the group "${group}"`, group });
    if (/UNKNOWN_TOPIC|TOPIC_AUTHORIZATION/.test(String(rootOf(error).type))) {
      // kafkajs asks for all together, and is not told which.
      for (const topic of topics)
        await admin.partitionsOf(topic).catch((reason: unknown) => {
          found = reason as Error;
        });
    }
    // A new broker has to find its place first, and that one moves is part of a broker's life.
    if (isComing(error) && attempt <= PATIENCE) {
      at.logger.debug(`${at.id}, group "${group}": ${found.message}`);
      return;
    }
    const isNews = this.#failure?.message !== found.message;
    this.#failure = found;
    if (isNews) at.logger.warn(`${at.id}, group "${group}": ${found.message}`);
    else at.logger.debug(`${at.id}, group "${group}" is tried again: ${found.message}`);
    handlers.failed?.(found);
  }

  async #heartbeat(): Promise<boolean> {
    const membership = this.#membership;
    if (!membership) return false;
    const { coordinator, memberId, generationId } = membership;
    try {
      await coordinator.heartbeat({ groupId: this.group, groupGenerationId: generationId, memberId });
      return true;
    } catch (error) {
      // That it is rebalancing is known.
      return !/UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION|FENCED/.test(String(rootOf(error).type));
    }
  }

  /** For the time of one assignment. */
  #newCommits(): CommitQueue {
    return new CommitQueue({
      send: commits => {
        const { at, group } = this.settings;
        const send = () => commitOnce(group, this.#membership, this.#cluster, commits);
        return at.operations.hasSubscribers
          ? at.operations.tracePromise(send, { component: 'kafka', connection: at.id, operation: 'commit' })
          : send();
      },
      isRetryable: isCommitRetryable,
      backoff: this.#backoff,
      explain: (error, { topic, partition }) => {
        if (error instanceof KafkaRevokedError) return new KafkaRevokedError(this.group, topic, partition);
        if (isFenced(error)) return new KafkaRevokedError(this.group, topic, partition, { cause: error });
        const { config, group } = this.settings;
        return diagnose(error, { config, action: `commit for the group "${group}"`, topic, group });
      },
    });
  }
}
