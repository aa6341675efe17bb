import type { DriverSite } from '@core-infra/kernel';
import { type NatsClient, NatsMissingError, NatsTopologyError, type NatsTopology } from '@core-infra/nats';
import type { NatsMessagingConfig } from '../../config/nats-messaging.config.js';
import type { DeclaredGroup, TopicAddress } from '../../config/topic.config.js';
import { NatsPartitionsError, NatsTopicError } from './errors.js';
import { isMissing, streamOf } from './foreign.js';
import { Names, PIN_GROUP, type Source } from './names.js';

type StreamDeclaration = NonNullable<NatsTopology['streams']>[number];
type Manager = Awaited<ReturnType<NatsClient['jetstreamManager']>>;

/** Where the number of partitions is kept. */
const PARTITIONS = 'core-infra-partitions';
const duplicateWindowMs = 120_000;
/** More than all members can have in hand: they bound that themselves. */
const MAX_ACK_PENDING = 1_000_000;
const CONSUMER_EXISTS = new Set([10_013, 10_105, 10_148]);
const topicName = /^[\w-]+(?:\.[\w-]+)*$/;

/** What is said of topics by configuration. */
export interface Said {
  /** Topics for which there is something at the server already. */
  readonly addresses?: ReadonlyMap<string, TopicAddress>;
  /** Groups whose events are kept before they have a member. */
  readonly groups?: readonly DeclaredGroup[];
}

/** Streams and consumers, made where they are missing. */
export class Streams {
  readonly names: Names;
  private shared?: Promise<void>;
  private readonly topics = new Map<string, Promise<void>>();
  private readonly ready = new Set<string>();

  constructor(
    private readonly client: NatsClient,
    private readonly site: DriverSite,
    readonly config: NatsMessagingConfig,
    private readonly said: Said = {},
  ) {
    this.names = new Names(config);
  }

  /** Of another system's stream there is one. */
  partitionsOf(topic: string): number {
    return this.subjectOf(topic) === undefined ? this.config.partitions : 1;
  }

  /** Whether the server keeps all but one member from a consumer (NATS 2.11). */
  get isPinning(): boolean {
    const [major = 0, minor = 0] = (this.client.connection.info?.version ?? '').split('.').map(Number);
    return major > 2 || (major === 2 && minor >= 11);
  }

  isReady(topic: string): boolean {
    return this.ready.has(topic);
  }

  /** All that is known to be needed from the first on. @throws NatsPartitionsError */
  async connect(): Promise<void> {
    await this.ensure();
    for (const topic of new Set(this.said.groups?.map(declared => declared.topic))) await this.ensureTopic(topic);
  }

  /** The streams that are the same for all topics. @throws NatsPartitionsError */
  ensure(): Promise<void> {
    this.shared ??= this.declareShared().catch((error: unknown) => {
      this.shared = undefined;
      throw error;
    });
    return this.shared;
  }

  /** The stream of a topic's events, and those that all share. */
  async ensureTopic(topic: string): Promise<void> {
    if (this.ready.has(topic)) return;
    if (!topicName.test(topic)) throw new NatsTopicError(topic);
    await this.ensure();
    let declared = this.topics.get(topic);
    if (!declared) this.topics.set(topic, (declared = this.declareTopic(topic)));
    await declared.catch((error: unknown) => {
      this.topics.delete(topic);
      throw error;
    });
    this.ready.add(topic);
  }

  /** How many messages are in a stream. @throws NatsMissingError when it is gone */
  async sizeOf(stream: string): Promise<number> {
    const manager = await this.client.jetstreamManager();
    const { state } = await manager.streams.info(stream).catch((error: unknown) => {
      throw isMissing(error) ? new NatsMissingError('stream', stream, { cause: error }) : error;
    });
    return state.messages;
  }

  /** How many messages are in each stream that is used. @throws NatsMissingError when one of them is gone */
  async check(): Promise<Record<string, number>> {
    const { names } = this;
    const streams = new Set([names.deadStream, names.groupsStream, names.retryStream, names.tasksStream]);
    for (const topic of this.ready) streams.add(names.source('', topic, 0, false).stream);
    const counted = [...streams].map(async (stream): Promise<[string, number]> => [stream, await this.sizeOf(stream)]);
    return Object.fromEntries(await Promise.all(counted));
  }

  /** Somebody may have deleted something. */
  forget(): void {
    this.shared = undefined;
    this.topics.clear();
    this.ready.clear();
  }

  /** The consumers of a group for a topic: one for each partition, and one for what the group gets again. */
  async ensureGroup(group: string, topic: string, isTasks: boolean): Promise<void> {
    await this.ensureTopic(topic);
    await this.declareGroup(group, topic, isTasks);
  }

  private subjectOf(topic: string): string | undefined {
    return this.said.addresses?.get(topic)?.subject;
  }

  private async declareTopic(topic: string): Promise<void> {
    const subject = this.subjectOf(topic);
    if (subject !== undefined) {
      const stream = await streamOf(this.client, topic, subject, this.said.addresses?.get(topic)?.stream);
      this.names.set(topic, { stream, subject });
    } else if (this.config.streamPerTopic) await this.declareEvents(topic);
    for (const { group, topic: own } of this.said.groups ?? [])
      if (own === topic) await this.declareGroup(group, topic, false);
  }

  private async declareGroup(group: string, topic: string, isTasks: boolean): Promise<void> {
    const manager = await this.client.jetstreamManager();
    const { startAt } = this.config;
    const deliver = isTasks ? 'all' : startAt;
    const sources = Array.from({ length: this.partitionsOf(topic) }, (_, number) =>
      this.names.source(group, topic, number, isTasks),
    );
    await Promise.all(sources.map(source => this.ensureConsumer(manager, source, deliver, this.isPinning)));
    await this.ensureConsumer(manager, this.names.againSource(group, topic), 'all', false);
  }

  private async ensureConsumer(
    manager: Manager,
    { stream, subject, consumer }: Source,
    deliver: 'all' | 'new',
    isPinned: boolean,
  ): Promise<void> {
    const timeout = this.config.memberTimeoutMs * 1e6;
    const changeable = {
      ack_wait: timeout,
      max_ack_pending: MAX_ACK_PENDING,
      max_deliver: -1,
      filter_subject: subject,
      ...(isPinned && {
        priority_groups: [PIN_GROUP],
        priority_policy: 'pinned_client' as const,
        priority_timeout: timeout,
      }),
    };
    try {
      await manager.consumers.add(stream, {
        durable_name: consumer,
        ack_policy: 'explicit',
        deliver_policy: deliver,
        ...changeable,
      });
    } catch (error) {
      if (!CONSUMER_EXISTS.has((error as { code?: number }).code ?? 0)) throw error;
      await manager.consumers.update(stream, consumer, changeable);
    }
  }

  private async declareShared(): Promise<void> {
    const { names } = this;
    const { storage, replicas, streamPerTopic } = this.config;
    const kept = { storage, replicas, duplicateWindowMs } as const;
    const queue = { ...kept, retention: 'workqueue', discard: 'new', more: this.mark } as const;
    if (!streamPerTopic) await this.declareEvents('');
    await this.declare({ ...queue, name: names.tasksStream, subjects: [`${names.tasks}.>`] });
    await this.declare({ ...queue, name: names.retryStream, subjects: [`${names.retry}.>`], more: {} });
    await this.declare({ ...kept, name: names.deadStream, subjects: [`${names.dead}.>`], discard: 'new' });
    await this.declare({
      ...kept,
      name: names.groupsStream,
      subjects: [`${names.owners}.>`, `${names.parkings}.>`],
      more: { max_msgs_per_subject: 1 },
    });
  }

  private declareEvents(topic: string): Promise<void> {
    const { storage, replicas, retention, maxAgeMs, maxBytes } = this.config;
    return this.declare({
      ...this.names.eventsStream(topic),
      storage,
      replicas,
      retention,
      duplicateWindowMs: maxAgeMs > 0 ? Math.min(duplicateWindowMs, maxAgeMs) : duplicateWindowMs,
      ...(maxAgeMs > 0 && { maxAgeMs }),
      ...(maxBytes !== undefined && { maxBytes }),
      more: this.mark,
    });
  }

  private get mark(): { metadata: Record<string, string> } {
    return { metadata: { [PARTITIONS]: String(this.config.partitions) } };
  }

  private async declare(stream: StreamDeclaration): Promise<void> {
    try {
      await this.client.topology({ streams: [stream] });
    } catch (error) {
      if (!(error instanceof NatsTopologyError)) throw error;
      const manager = await this.client.jetstreamManager();
      const { config } = await manager.streams.info(stream.name);
      const found = config.metadata?.[PARTITIONS];
      if (stream.more?.metadata && found !== String(this.config.partitions))
        throw new NatsPartitionsError(stream.name, this.config.partitions, found);
      // Limits are an operator's to change: what is there is used as it is.
      this.site.logger.warn(error.message);
    }
  }
}
