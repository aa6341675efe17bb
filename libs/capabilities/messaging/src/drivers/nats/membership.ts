import { randomUUID } from 'node:crypto';
import type { DriverSite } from '@core-infra/kernel';
import type { NatsClient } from '@core-infra/nats';
import type { ConsumeRequest, Consumption, DeliverySink, TopicBacklog } from '../../driver/message-driver.js';
import type { ReceivedMessage } from '../../driver/message.js';
import { aborted } from './aborted.js';
import { Answers } from './answers.js';
import { backlogOf } from './backlog.js';
import type { FeedSite } from './feed-site.js';
import { HandOver } from './hand-over.js';
import { heldOf } from './held.js';
import type { NatsParkingLot } from './nats.parking-lot.js';
import { Presence } from './presence.js';
import { Share } from './share.js';
import type { Streams } from './streams.js';

/** Without a word from the server for this part of the time-out its partitions are given up, so that it is over here before another member begins. */
const TRUST = 0.7;
/** How long a new member waits for the others to tell of themselves, in milliseconds. */
const HEAR_MS = 100;
/** What a message is counted as beyond its size, at most, in bytes. */
const SPARE_BYTES = 65_536;

/**
 * A member of a group. Each has as many partitions of a topic as make an equal share: who has more gives some up, who has less takes those that nobody has,
 * or whose member is dead.
 */
export class Membership implements Consumption {
  private readonly share: Share;
  private readonly presence: Presence;
  private readonly handOver: HandOver;
  private readonly unwatch: () => void;
  private readonly timer: NodeJS.Timeout;
  /** Resolves when it has left, which may take longer than the time it had for it. */
  gone?: Promise<void>;
  private stopped = false;
  private joined = false;
  private answeredAt = -Infinity;
  private tending?: Promise<void>;
  private again = false;

  constructor(
    private readonly client: NatsClient,
    private readonly streams: Streams,
    lot: NatsParkingLot,
    private readonly request: ConsumeRequest,
    private readonly sink: DeliverySink,
    private readonly site: DriverSite,
  ) {
    const { memberTimeoutMs: timeoutMs } = streams.config;
    const member: string = randomUUID();
    this.presence = new Presence({
      client,
      clock: site.clock,
      subject: streams.names.members(request.group),
      member,
      timeoutMs,
      topics: () => this.share.standing,
      changed: () => this.changed(),
      troubled: error => this.deaf(error),
    });
    this.share = new Share({
      client,
      streams,
      request,
      sink,
      lot,
      member,
      feed: this.feedSite(timeoutMs),
      isStopped: () => this.stopped,
      isPaused: () => this.handOver.isPaused,
      isAlive: other => this.presence.isAlive(other),
      changed: () => void this.tend(),
      troubled: error => this.troubled(error),
      debug: message => site.logger.debug(message),
    });
    this.handOver = new HandOver(this.share.feeds, request, sink);
    this.unwatch = client.onChange(isUp => {
      if (isUp) this.reconnected();
    });
    this.timer = setInterval(() => this.tick(), timeoutMs / 5).unref();
  }

  /** Looks after its share of the partitions. Resolves when it has looked. */
  tend(): Promise<void> {
    this.again = this.tending !== undefined;
    return (this.tending ??= this.look().finally(() => {
      this.tending = undefined;
      if (this.again && !this.stopped) void this.tend();
    }));
  }

  pause(): void {
    this.handOver.pause();
  }

  resume(): void {
    this.handOver.resume();
  }

  settle(message: ReceivedMessage): void {
    const held = heldOf(message);
    held.feed.settle(held);
    this.handOver.letGo(held);
  }

  /** Nothing is released but what belongs to a partition that is given up, which gives back what it has in its order. */
  release(message: ReceivedMessage): void {
    this.handOver.letGo(heldOf(message));
  }

  backlog(): Promise<readonly TopicBacklog[]> {
    return backlogOf(this.client, this.streams, this.request);
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.stopped = true;
    this.handOver.stop();
    clearInterval(this.timer);
    this.unwatch();
    this.gone = (async () => {
      await this.tending;
      await Promise.all([...this.share.feeds].map(feed => this.share.giveUp(feed)));
      if (this.client.isConnected) await this.presence.beat({ isLeaving: true });
    })()
      .catch((error: Error) => {
        this.site.logger.debug(`Others take the partitions when they hear nothing more: ${error.message}`);
      })
      .finally(() => this.presence.end());
    await Promise.race([this.gone, aborted(signal)]);
  }

  private feedSite(timeoutMs: number): FeedSite {
    const { client, request } = this;
    const feeds = (): number => Math.max(1, this.share.feeds.size);
    return {
      client,
      clock: this.site.clock,
      timeoutMs,
      answers: new Answers(client),
      credit: () => Math.max(1, Math.min(500, Math.ceil((2 * request.maxInFlight) / feeds()))),
      maxBytes: () => Math.ceil(request.maxBytesInFlight / feeds()),
      largest: () => (client.connection.info?.max_payload ?? 0) + SPARE_BYTES,
      filled: () => this.handOver.schedule(),
      doubted: feed => void this.share.verify(feed),
      gone: feed => {
        this.troubled(new Error(`The consumer ${feed.source.consumer} of the stream ${feed.source.stream} is gone.`));
        void this.share.giveUp(feed);
      },
      troubled: error => this.troubled(error),
    };
  }

  private tick(): void {
    const { memberTimeoutMs } = this.streams.config;
    if (this.site.clock.monotonic() - this.answeredAt > memberTimeoutMs * TRUST) this.share.giveUpOwned();
    for (const feed of this.share.feeds) feed.tick();
    void this.tend();
  }

  private reconnected(): void {
    this.presence.refresh();
    if (this.joined) this.presence.listen();
    for (const feed of this.share.feeds) feed.reconnected();
    void this.tend();
  }

  private changed(): void {
    if (!this.stopped && this.joined) void this.tend();
  }

  private async look(): Promise<void> {
    try {
      if (!this.joined) await this.join();
      const at = this.site.clock.monotonic();
      await this.presence.beat();
      this.answeredAt = at;
      for (const topic of this.request.topics)
        if (!this.stopped) await this.share.balance(topic, this.presence.ofTopic(topic));
      this.sink.troubled(undefined);
    } catch (error) {
      if (!this.stopped) this.troubled(error as Error);
    }
  }

  private async join(): Promise<void> {
    const { group, topics, queues } = this.request;
    for (const topic of topics) await this.streams.ensureGroup(group, topic, queues.includes(topic));
    this.presence.listen();
    await this.presence.beat({ isNew: true });
    await new Promise(resolve => setTimeout(resolve, HEAR_MS));
    this.joined = true;
  }

  /** Who cannot hear the others would take what is theirs. */
  private deaf(error: Error): void {
    this.share.giveUpOwned();
    this.joined = false;
    this.troubled(error);
  }

  private troubled(error: Error): void {
    this.streams.forget();
    this.joined &&= !/not found|is gone/i.test(error.message);
    this.sink.troubled(error);
  }
}
