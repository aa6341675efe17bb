import { randomUUID } from 'node:crypto';
import type { DriverSite } from '@core-infra/kernel';
import type { NatsClient } from '@core-infra/nats';
import type { ConsumeRequest, Consumption, DeliverySink, TopicBacklog } from '../../driver/message-driver.js';
import type { Partition, ReceivedMessage } from '../../driver/message.js';
import { aborted } from './aborted.js';
import { Answers } from './answers.js';
import { backlogOf } from './backlog.js';
import { Feed } from './feed.js';
import type { FeedSite } from './feed-site.js';
import { HandOver } from './hand-over.js';
import type { Held } from './held.js';
import { PIN_GROUP } from './names.js';
import { Owners } from './owners.js';
import { Presence } from './presence.js';
import { rotated } from './rotated.js';
import type { Streams } from './streams.js';

/** Without a word from the server for this part of the time-out its partitions are given up, so that it is over here before another member begins. */
const TRUST = 0.7;
/** How long a new member waits for the others to tell of themselves, in milliseconds. */
const HEAR_MS = 100;
/** What one request may bring besides one message of the largest size, in bytes. */
const SPARE_BYTES = 65_536;

/**
 * A member of a group. Each has as many partitions of a topic as make an equal share: who has more gives some up, who has less takes those that nobody has,
 * or whose member is dead.
 */
export class Membership implements Consumption {
  private readonly member: string = randomUUID();
  private readonly feeds = new Set<Feed>();
  /** What was settled of partitions that were given up while the server was away, by their consumer: it may not know. */
  private readonly settledBefore = new Map<string, ReadonlyMap<number, number>>();
  private readonly owners: Owners;
  private readonly presence: Presence;
  private readonly feedSite: FeedSite;
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
    private readonly request: ConsumeRequest,
    private readonly sink: DeliverySink,
    private readonly site: DriverSite,
  ) {
    const { memberTimeoutMs: timeoutMs } = streams.config;
    const { clock } = site;
    this.owners = new Owners(client, streams, request.group, this.member);
    this.presence = new Presence({
      client,
      clock,
      subject: streams.names.members(request.group),
      member: this.member,
      timeoutMs,
      topics: () => this.standing(),
      changed: () => this.changed(),
    });
    this.handOver = new HandOver(this.feeds, request, sink);
    this.feedSite = {
      client,
      clock,
      timeoutMs,
      answers: new Answers(client),
      credit: () => Math.max(1, Math.min(500, Math.ceil((2 * request.maxInFlight) / Math.max(1, this.feeds.size)))),
      maxBytes: () =>
        Math.ceil(request.maxBytesInFlight / Math.max(1, this.feeds.size)) +
        (client.connection.info?.max_payload ?? 0) +
        SPARE_BYTES,
      filled: () => this.handOver.schedule(),
      doubted: feed => void this.verify(feed),
      gone: feed => {
        this.troubled(new Error(`The consumer ${feed.source.consumer} of the stream ${feed.source.stream} is gone.`));
        void this.giveUp(feed);
      },
      troubled: error => this.troubled(error),
    };
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
    const held = message.mark as Held;
    held.feed.settle(held);
    this.handOver.letGo(held);
  }

  /** Nothing is released but what belongs to a partition that is given up, which gives back what it has in its order. */
  release(message: ReceivedMessage): void {
    this.handOver.letGo(message.mark as Held);
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
      await Promise.all([...this.feeds].map(feed => this.giveUp(feed)));
      if (this.client.isConnected) await this.presence.beat({ isLeaving: true });
    })()
      .catch((error: Error) => {
        this.site.logger.debug(`Others take the partitions when they hear nothing more: ${error.message}`);
      })
      .finally(() => this.presence.end());
    await Promise.race([this.gone, aborted(signal)]);
  }

  private isTasks(topic: string): boolean {
    return this.request.queues.includes(topic);
  }

  private standing(): Record<string, number[]> {
    const { topics } = this.request;
    return Object.fromEntries(topics.map(topic => [topic, this.ofTopic(topic).map(({ ref }) => ref.number)]));
  }

  private ofTopic(topic: string): Feed[] {
    return [...this.feeds].filter(({ ref, isShared }) => ref.topic === topic && !isShared);
  }

  private tick(): void {
    const { memberTimeoutMs } = this.streams.config;
    if (this.site.clock.monotonic() - this.answeredAt > memberTimeoutMs * TRUST)
      for (const feed of this.feeds) if (!feed.isShared) void this.giveUp(feed);
    for (const feed of this.feeds) feed.tick();
    void this.tend();
  }

  private reconnected(): void {
    this.presence.refresh();
    if (this.joined) this.presence.listen();
    for (const feed of this.feeds) feed.reconnected();
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
      for (const topic of this.request.topics) if (!this.stopped) await this.share(topic);
      this.sink.troubled(undefined);
    } catch (error) {
      if (!this.stopped) this.troubled(error as Error);
    }
  }

  private async join(): Promise<void> {
    const { group, topics } = this.request;
    for (const topic of topics) await this.streams.ensureGroup(group, topic, this.isTasks(topic));
    this.presence.listen();
    await this.presence.beat({ isNew: true });
    await new Promise(resolve => setTimeout(resolve, HEAR_MS));
    this.joined = true;
  }

  /** Takes or gives up partitions of a topic, so that all members have as many. */
  private async share(topic: string): Promise<void> {
    const { partitions } = this.streams;
    this.shareAgain(topic);
    const others = this.presence.ofTopic(topic);
    const quota = Math.ceil(partitions / (others.length + 1));
    const mine = this.ofTopic(topic);
    const staying = mine.filter(({ leaving }) => !leaving);
    for (const feed of staying.slice(quota)) void this.giveUp(feed);
    const taken = new Set([...others.flat(), ...mine.map(({ ref }) => ref.number)]);
    const free = rotated(
      Array.from({ length: partitions }, (_, number) => number).filter(number => !taken.has(number)),
    );
    let missing = quota - mine.length;
    const claims = free.map(number => async () => {
      if (missing <= 0 || this.stopped) return;
      missing -= 1;
      if (!(await this.claim({ topic, number }))) missing += 1;
    });
    // As many at a time as are wanted, and others where somebody was quicker.
    while (claims.length > 0 && missing > 0) await Promise.all(claims.splice(0, missing).map(claim => claim()));
  }

  /** What the group gets again has the number after the last of the partitions, with every member. */
  private shareAgain(topic: string): void {
    const { names, partitions } = this.streams;
    if ([...this.feeds].some(({ ref, isShared }) => isShared && ref.topic === topic)) return;
    const source = names.againSource(this.request.group, topic);
    this.open(new Feed(this.feedSite, { topic, number: partitions }, source, undefined, false), 0);
  }

  private async claim(ref: Partition): Promise<boolean> {
    const { topic, number } = ref;
    const claim = await this.owners.claim(topic, number, member => this.presence.isAlive(member));
    if (!claim) return false;
    const { isPinning, names, config } = this.streams;
    const source = names.source(this.request.group, topic, number, this.isTasks(topic));
    const settled = claim.isOwn ? this.settledBefore.get(source.consumer) : undefined;
    const feed = new Feed(this.feedSite, ref, source, claim.revision, isPinning, settled);
    // Requests of a member that is dead are over after a third of the time-out, and what they brought after the whole of it.
    this.open(feed, claim.isClean ? 0 : config.memberTimeoutMs / 3);
    return true;
  }

  private open(feed: Feed, pullAfterMs: number): void {
    feed.paused = this.handOver.isPaused;
    this.feeds.add(feed);
    const opened = async (): Promise<void> => {
      if (!feed.isShared) await this.unpin(feed);
      await this.sink.assigned([feed.ref]);
      if (this.feeds.has(feed) && !feed.leaving && !this.stopped) feed.open(pullAfterMs);
    };
    opened().catch((error: Error) => {
      this.troubled(error);
      void this.giveUp(feed);
    });
  }

  /** The server stays with no member that had it before. */
  private async unpin(feed: Feed): Promise<void> {
    if (!this.streams.isPinning) return;
    const { stream, consumer } = feed.source;
    await (await this.client.jetstreamManager()).consumers.unpin(stream, consumer, PIN_GROUP);
  }

  /** Ends the work on a partition, and lets others have it. */
  private giveUp(feed: Feed): Promise<void> {
    return (feed.leaving ??= this.leave(feed));
  }

  private async leave(feed: Feed): Promise<void> {
    const { topic, number } = feed.ref;
    try {
      await this.sink.revoked([feed.ref]);
      feed.close();
      this.settledBefore.delete(feed.source.consumer);
      if (!this.client.isConnected) this.settledBefore.set(feed.source.consumer, feed.settled);
      if (feed.revision === undefined || !this.client.isConnected) return;
      await this.client.connection.flush();
      await this.unpin(feed);
      await this.owners.giveUp(topic, number, feed.revision);
    } catch (error) {
      // It is taken up again by this member, or by another one when this is not heard any more.
      this.site.logger.debug(`A partition could not be given back: ${(error as Error).message}`);
    } finally {
      this.feeds.delete(feed);
      if (!this.stopped) void this.tend();
    }
  }

  /** Another member may have taken the partition of one that was not heard. */
  private async verify(feed: Feed): Promise<void> {
    const { topic, number } = feed.ref;
    try {
      if (feed.revision === undefined || (await this.owners.isMine(topic, number, feed.revision))) feed.trust();
      else void this.giveUp(feed);
    } catch (error) {
      this.troubled(error as Error);
      void this.giveUp(feed);
    }
  }

  private troubled(error: Error): void {
    this.streams.forget();
    this.joined &&= !/not found|is gone/i.test(error.message);
    this.sink.troubled(error);
  }
}
