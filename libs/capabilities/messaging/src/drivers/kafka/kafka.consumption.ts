import type { KafkaBatch, KafkaClient, KafkaConsumer, KafkaPartition, KafkaRevocation } from '@core-infra/kafka';
import type { DriverSite } from '@core-infra/kernel';
import type { KafkaMessagingConfig } from '../../config/kafka-messaging.config.js';
import type { ConsumeRequest, Consumption, DeliverySink, TopicBacklog } from '../../driver/message-driver.js';
import type { ReceivedMessage } from '../../driver/message.js';
import { untilDone } from '../../consume/until-done.js';
import { Feed, type Mark } from './feed.js';
import type { KafkaParkingLot } from './kafka.parking-lot.js';
import type { KafkaNames } from './names.js';
import { Prefetch } from './prefetch.js';
import { FIRST_RETRY_PARTITION } from './records.js';
import { RetryFeed } from './retry-feed.js';
import type { KafkaTopics } from './topics.js';

/** Messages of one partition that are handed over before it is another's turn. */
const SLICE = 64;
/** Slices after which other work of the process gets its turn. */
const ROUND = 4;
/** Which part of what may be in hand may wait here, as bytes: of what can be handled now, and of retries until their time has come. */
const FRESH_PART = 0.75;
const RETRY_PART = 0.25;
/** A pause that lasts so long, in milliseconds, ends fetching too; before that what is fetched ahead has its own bound. */
const HOLD_AFTER_MS = 100;
/** The longest time that timers take, in milliseconds. */
const LONGEST_MS = 2_147_483_647;

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
  private turn = 0;
  private isPumping = false;
  private isScheduled = false;
  private commitTimer?: NodeJS.Timeout;
  private holdTimer?: NodeJS.Timeout;
  private retryTimer?: NodeJS.Timeout;
  private uncommitted = 0;
  private readonly fresh: Prefetch;
  private readonly retries: Prefetch;

  constructor(
    private readonly site: ConsumptionSite,
    private readonly request: ConsumeRequest,
    private readonly sink: DeliverySink,
    private readonly onStopped: () => void,
  ) {
    const { group, topics, maxBytesInFlight } = request;
    this.fresh = new Prefetch(maxBytesInFlight * FRESH_PART);
    this.retries = new Prefetch(maxBytesInFlight * RETRY_PART);
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
    this.holdTimer ??= setTimeout(() => this.hold(true), HOLD_AFTER_MS).unref();
  }

  resume(): void {
    this.isPaused = false;
    clearTimeout(this.holdTimer);
    this.holdTimer = undefined;
    this.hold(false);
    this.pumpSoon();
  }

  settle({ mark }: ReceivedMessage): void {
    const { feed } = mark as Mark;
    if (!this.letGo(feed)) return;
    const before = feed.offsets.uncommitted;
    feed.offsets.settle(mark as Mark);
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
    try {
      await this.member?.close(signal);
    } finally {
      for (const timer of [this.commitTimer, this.holdTimer, this.retryTimer]) clearTimeout(timer);
      this.onStopped();
    }
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
    const feeds = partitions.map(partition => this.feedOf(partition));
    this.site.lot.assigned(
      this.group,
      partitions.filter(({ topic }) => !this.retried.has(topic)),
    );
    this.recovered();
    await this.sink.assigned(feeds.map(({ ref }) => ref));
  }

  private feedOf(partition: KafkaPartition): Feed {
    const retried = this.retried.get(partition.topic);
    const { topic, partition: number } = partition;
    const feed =
      retried === undefined
        ? new Feed(partition, { topic, number }, this.fresh)
        : new RetryFeed(partition, { topic: retried, number: number + FIRST_RETRY_PARTITION }, this.retries);
    this.feeds.set(partition, feed);
    (retried === undefined ? this.fresh : this.retries).join(feed);
    return feed;
  }

  private take({ partition, messages }: KafkaBatch): void {
    const feed = this.feeds.get(partition);
    if (!feed || feed.isClosed) return;
    feed.add(messages);
    this.pump();
    this.recovered();
  }

  private hold(isHeld: boolean): void {
    this.fresh.hold(isHeld);
    this.retries.hold(isHeld);
  }

  /** Hands over what waits, some of each partition in turn. */
  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    try {
      for (let slices = 0; !this.isPaused; slices += 1) {
        const room = this.request.maxInFlight - this.inHand;
        if (room <= 0) return;
        const now = this.site.at.clock.now();
        const feed = this.nextFeed(now);
        if (!feed) return this.pumpWhenDue(now);
        if (slices === ROUND) return this.pumpSoon();
        const messages = feed.take(Math.min(SLICE, room), now);
        this.inHand += messages.length;
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

  /** What waits has its time still to come. */
  private pumpWhenDue(now: number): void {
    let nextAt = Infinity;
    for (const feed of this.feeds.values()) nextAt = Math.min(nextAt, feed.nextAt);
    clearTimeout(this.retryTimer);
    if (nextAt === Infinity) return;
    this.retryTimer = setTimeout(() => this.pump(), Math.min(LONGEST_MS, Math.max(1, nextAt - now))).unref();
  }

  private nextFeed(now: number): Feed | undefined {
    const feeds = [...this.feeds.values()];
    for (let tried = 0; tried < feeds.length; tried += 1) {
      const feed = feeds[(this.turn += 1) % feeds.length]!;
      if (feed.nextAt <= now && !feed.isClosed) return feed;
    }
    return undefined;
  }

  /** Whether it counts still. */
  private letGo(feed: Feed): boolean {
    if (feed.isClosed && feed.inHand === 0) return false;
    feed.inHand -= 1;
    this.inHand -= 1;
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
      feed.inHand = 0;
    }
  }

  private recovered(): void {
    if (this.trouble) this.sink.troubled((this.trouble = undefined));
  }

  private tell(error: unknown): void {
    this.trouble = error instanceof Error ? error : new Error(String(error));
    this.sink.troubled(this.trouble);
  }
}

/** How long after a failed commit the next is tried, in milliseconds. */
const RETRY_COMMIT_MS = 1_000;
