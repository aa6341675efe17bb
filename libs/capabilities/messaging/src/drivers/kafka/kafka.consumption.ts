import type { KafkaBatch, KafkaClient, KafkaConsumer, KafkaPartition, KafkaRevocation } from '@core-infra/kafka';
import type { DriverSite } from '@core-infra/kernel';
import type { KafkaMessagingConfig } from '../../config/kafka-messaging.config.js';
import type { ConsumeRequest, Consumption, DeliverySink, TopicBacklog } from '../../driver/message-driver.js';
import type { ReceivedMessage } from '../../driver/message.js';
import { untilDone } from '../../consume/until-done.js';
import { Feed, type Mark } from './feed.js';
import type { KafkaParkingLot } from './kafka.parking-lot.js';
import type { KafkaNames } from './names.js';
import type { KafkaTopics } from './topics.js';

/** Messages of one partition that are handed over before it is another's turn. */
const SLICE = 64;
/** Slices after which other work of the process gets its turn. */
const ROUND = 4;
/** Bytes of one partition that may wait here: more than is handled while kafkajs sleeps, as it does when all its partitions pause. */
const MOST_BYTES = 8 * 1024 * 1024;
const LEAST_BYTES = 64 * 1024;

export interface ConsumptionSite {
  readonly client: KafkaClient;
  readonly config: KafkaMessagingConfig;
  readonly names: KafkaNames;
  readonly topics: KafkaTopics;
  readonly lot: KafkaParkingLot;
  readonly at: DriverSite;
}

/** A member of a consumer group, as the bus knows it: feeds it fairly from all its partitions, and commits what is settled without a gap. */
export class KafkaConsumption implements Consumption {
  /** Why nothing is received, while nothing is. */
  trouble?: Error;
  private readonly feeds = new Map<KafkaPartition, Feed>();
  /** By the name of the topic of retries, the one that its messages were of. */
  private readonly retried: ReadonlyMap<string, string>;
  private readonly stopping = new AbortController();
  private member?: KafkaConsumer;
  private started?: Promise<void>;
  private isPaused = false;
  private inHand = 0;
  private retriesInHand = 0;
  private turn = 0;
  private isPumping = false;
  private isScheduled = false;
  private commitTimer?: NodeJS.Timeout;
  private uncommitted = 0;

  constructor(
    private readonly site: ConsumptionSite,
    private readonly request: ConsumeRequest,
    private readonly sink: DeliverySink,
  ) {
    const { group, topics } = request;
    this.retried = new Map(topics.map(topic => [site.names.retry(topic, group), topic]));
  }

  get group(): string {
    return this.request.group;
  }

  /** Begins to join, and goes on trying. */
  start(): void {
    const { signal } = this.stopping;
    this.started = untilDone(
      () => this.join(),
      signal,
      error => this.tell(error),
    ).then(() => undefined);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.pumpSoon();
  }

  settle({ mark }: ReceivedMessage): void {
    const { feed, slot } = mark as Mark;
    if (!this.letGo(feed)) return;
    const before = feed.offsets.uncommitted;
    feed.offsets.settle(slot);
    this.uncommitted += feed.offsets.uncommitted - before;
    if (this.uncommitted >= this.site.config.commitEvery) this.commit();
    else if (this.uncommitted > 0)
      this.commitTimer ??= setTimeout(() => this.commit(), this.site.config.commitIntervalMs).unref();
  }

  /** It is not committed, so whoever has the partition next reads it again. */
  release({ mark }: ReceivedMessage): void {
    this.letGo((mark as Mark).feed);
  }

  async backlog(signal: AbortSignal): Promise<readonly TopicBacklog[]> {
    signal.throwIfAborted();
    const { group, topics } = this.request;
    const lags = await this.site.client.admin.lag(group, [...topics, ...this.retried.keys()]);
    return topics.map(topic => {
      const own = lags.filter(lag => lag.topic === topic || this.retried.get(lag.topic) === topic);
      return { topic, messages: Number(own.reduce((sum, { lag }) => sum + lag, 0n)) };
    });
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.stopping.abort(new Error('The app ends.'));
    await this.started;
    await this.member?.close(signal);
    clearTimeout(this.commitTimer);
  }

  private async join(): Promise<void> {
    const { client, topics } = this.site;
    const { group } = this.request;
    await topics.ensure(this.request.topics);
    await Promise.all([...this.retried].map(([retry, topic]) => topics.ensureBeside(topic, [retry])));
    if (this.stopping.signal.aborted) return;
    this.member = client.consumer(group, [...this.request.topics, ...this.retried.keys()], {
      assigned: partitions => this.assigned(partitions),
      records: batch => this.take(batch),
      revoked: (partitions, revocation) => this.revoked(partitions, revocation),
      failed: error => this.tell(error),
    });
  }

  private async assigned(partitions: readonly KafkaPartition[]): Promise<void> {
    const feeds = partitions.map(partition => {
      const topic = this.retried.get(partition.topic);
      const feed = new Feed(partition, topic ?? partition.topic, topic !== undefined);
      this.feeds.set(partition, feed);
      return feed;
    });
    this.site.lot.assigned(
      this.group,
      feeds.filter(feed => !feed.isOfRetries).map(feed => feed.partition),
    );
    if (this.trouble) this.sink.troubled((this.trouble = undefined));
    await this.sink.assigned(feeds.map(({ ref }) => ref));
  }

  private take({ partition, messages }: KafkaBatch): void {
    const feed = this.feeds.get(partition);
    if (!feed || feed.isClosed) return;
    const share = this.request.maxBytesInFlight / Math.max(1, this.feeds.size);
    feed.add(messages, Math.max(LEAST_BYTES, Math.min(MOST_BYTES, share)));
    this.pump();
  }

  /** Hands over what waits, some of each partition in turn. */
  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    try {
      for (let slices = 0; !this.isPaused; slices += 1) {
        const room = this.request.maxInFlight - this.inHand;
        const feed = room > 0 ? this.nextFeed() : undefined;
        if (!feed) return;
        if (slices === ROUND) return this.pumpSoon();
        const messages = feed.take(Math.min(SLICE, room));
        this.inHand += messages.length;
        if (feed.isOfRetries) this.retriesInHand += messages.length;
        this.sink.deliver(messages);
      }
    } finally {
      this.isPumping = false;
    }
  }

  private pumpSoon(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.pump();
    });
  }

  /** Retries wait for their time in hand: they may fill half of it, and no more. */
  private nextFeed(): Feed | undefined {
    const feeds = [...this.feeds.values()];
    const mayRetry = this.retriesInHand <= this.request.maxInFlight / 2;
    for (let tried = 0; tried < feeds.length; tried += 1) {
      const feed = feeds[(this.turn += 1) % feeds.length]!;
      if (!feed.isEmpty && !feed.isClosed && (mayRetry || !feed.isOfRetries)) return feed;
    }
    return undefined;
  }

  /** Whether it counts still. */
  private letGo(feed: Feed): boolean {
    if (feed.isClosed && feed.inHand === 0) return false;
    feed.inHand -= 1;
    this.inHand -= 1;
    if (feed.isOfRetries) this.retriesInHand -= 1;
    if (!this.isPaused) this.pumpSoon();
    return this.feeds.has(feed.partition);
  }

  private commit(): void {
    clearTimeout(this.commitTimer);
    this.commitTimer = undefined;
    this.uncommitted = 0;
    for (const feed of this.feeds.values()) void this.commitOf(feed);
  }

  private async commitOf(feed: Feed): Promise<void> {
    const next = feed.offsets.take();
    if (next === undefined) return;
    try {
      await feed.partition.commit(next);
    } catch (error) {
      // Somebody else has it, and reads it again.
      if (feed.partition.signal.aborted || !this.feeds.has(feed.partition)) return;
      this.site.at.logger.warn(
        `The group "${this.group}" could not commit for "${feed.partition.topic}", and tries again: ${(error as Error).message}`,
      );
      feed.offsets.putBack();
      this.commitTimer ??= setTimeout(() => this.commit(), RETRY_COMMIT_MS).unref();
    }
  }

  private async revoked(partitions: readonly KafkaPartition[], { lost, signal }: KafkaRevocation): Promise<void> {
    const feeds = partitions.flatMap(partition => this.feeds.get(partition) ?? []);
    for (const feed of feeds) feed.close();
    const late = new Promise<void>(resolve => {
      if (signal.aborted && !lost) resolve();
      else if (!lost) signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([this.sink.revoked(feeds.map(({ ref }) => ref)), late]);
    if (!lost) await Promise.all(feeds.map(feed => this.commitOf(feed)));
    this.site.lot.revoked(this.group, partitions);
    for (const feed of feeds) {
      this.feeds.delete(feed.partition);
      this.inHand -= feed.inHand;
      if (feed.isOfRetries) this.retriesInHand -= feed.inHand;
      feed.inHand = 0;
    }
  }

  private tell(error: unknown): void {
    this.trouble = error instanceof Error ? error : new Error(String(error));
    this.sink.troubled(this.trouble);
  }
}

/** How long after a failed commit the next is tried, in milliseconds. */
const RETRY_COMMIT_MS = 1_000;
