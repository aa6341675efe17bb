import type { NatsClient } from '@core-infra/nats';
import type { ConsumeRequest, DeliverySink } from '../../driver/message-driver.js';
import type { Partition } from '../../driver/message.js';
import { Feed } from './feed.js';
import type { FeedSite } from './feed-site.js';
import type { NatsParkingLot } from './nats.parking-lot.js';
import { PIN_GROUP } from './names.js';
import { Owners } from './owners.js';
import { rotated } from './rotated.js';
import type { Settled } from './settled.js';
import type { Streams } from './streams.js';

export interface ShareSite {
  readonly client: NatsClient;
  readonly streams: Streams;
  readonly request: ConsumeRequest;
  readonly sink: DeliverySink;
  readonly lot: NatsParkingLot;
  readonly member: string;
  readonly feed: FeedSite;
  readonly isStopped: () => boolean;
  readonly isPaused: () => boolean;
  /** Whether a member may be at work. */
  isAlive(member: string): boolean;
  /** Others may want something else now. */
  changed(): void;
  troubled(error: Error): void;
  debug(message: string): void;
}

/** The partitions that a member has: how it comes by them, and how it gives them up. */
export class Share {
  readonly feeds = new Set<Feed>();
  /** What was settled of partitions that were given up while the server was away, by their consumer: it may not know. */
  private readonly settledBefore = new Map<string, Settled>();
  private readonly owners: Owners;

  constructor(private readonly site: ShareSite) {
    const { client, streams, request, member } = site;
    this.owners = new Owners(client, streams, request.group, member);
  }

  /** The partitions by topic, as others are told of them. */
  get standing(): Record<string, number[]> {
    const { topics } = this.site.request;
    return Object.fromEntries(topics.map(topic => [topic, this.ofTopic(topic).map(({ ref }) => ref.number)]));
  }

  /** Takes or gives up partitions of a topic, so that all members have as many. */
  async balance(topic: string, others: readonly (readonly number[])[]): Promise<void> {
    const partitions = this.site.streams.partitionsOf(topic);
    this.openAgain(topic);
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
      if (missing <= 0 || this.site.isStopped()) return;
      missing -= 1;
      if (!(await this.claim({ topic, number }))) missing += 1;
    });
    // As many at a time as are wanted, and others where somebody was quicker.
    while (claims.length > 0 && missing > 0) await Promise.all(claims.splice(0, missing).map(claim => claim()));
  }

  /** Ends the work on a partition, and lets others have it. */
  giveUp(feed: Feed): Promise<void> {
    return (feed.leaving ??= this.leave(feed));
  }

  /** The same with all that others could have. */
  giveUpOwned(): void {
    for (const feed of this.feeds) if (!feed.isShared) void this.giveUp(feed);
  }

  /** Another member may have taken the partition of one that was not heard. */
  async verify(feed: Feed): Promise<void> {
    const { topic, number } = feed.ref;
    try {
      if (feed.revision === undefined || (await this.owners.isMine(topic, number, feed.revision))) feed.trust();
      else void this.giveUp(feed);
    } catch (error) {
      this.site.troubled(error as Error);
      void this.giveUp(feed);
    }
  }

  private ofTopic(topic: string): Feed[] {
    return [...this.feeds].filter(({ ref, isShared }) => ref.topic === topic && !isShared);
  }

  /** What the group gets again has the number after the last of the partitions, with every member. */
  private openAgain(topic: string): void {
    const { streams, request, feed: feedSite } = this.site;
    if ([...this.feeds].some(({ ref, isShared }) => isShared && ref.topic === topic)) return;
    const source = streams.names.againSource(request.group, topic);
    this.open(new Feed(feedSite, { topic, number: streams.partitionsOf(topic) }, source, undefined, false), 0);
  }

  private async claim(ref: Partition): Promise<boolean> {
    const { streams, request, lot, feed: feedSite, isAlive } = this.site;
    const { group, queues } = request;
    const { topic, number } = ref;
    const claim = await this.owners.claim(topic, number, isAlive);
    if (!claim) return false;
    const { isPinning, names, config } = streams;
    const { revision, isOwn, isClean } = claim;
    const source = names.source(group, topic, number, queues.includes(topic));
    const settled = isOwn ? this.settledBefore.get(source.consumer) : undefined;
    const feed = new Feed(feedSite, ref, source, revision, isPinning, settled);
    lot.assigned(group, ref, { revision, known: (position, time) => feed.remember(position, time) });
    // Requests of a member that is dead are over after a third of the time-out, and what they brought after the whole of it.
    this.open(feed, isClean ? 0 : config.memberTimeoutMs / 3);
    return true;
  }

  private open(feed: Feed, pullAfterMs: number): void {
    const { sink, isPaused, isStopped, troubled } = this.site;
    this.feeds.add(feed);
    const opened = async (): Promise<void> => {
      if (!feed.isShared) await this.unpin(feed);
      await sink.assigned([feed.ref]);
      if (!this.feeds.has(feed) || feed.leaving || isStopped()) return;
      feed.paused = isPaused();
      feed.open(pullAfterMs);
    };
    opened().catch((error: Error) => {
      troubled(error);
      void this.giveUp(feed);
    });
  }

  /** The server stays with no member that had it before. */
  private async unpin(feed: Feed): Promise<void> {
    const { client, streams } = this.site;
    if (!streams.isPinning) return;
    const { stream, consumer } = feed.source;
    await (await client.jetstreamManager()).consumers.unpin(stream, consumer, PIN_GROUP);
  }

  private async leave(feed: Feed): Promise<void> {
    const { client, sink, lot, request, isStopped } = this.site;
    const { topic, number } = feed.ref;
    try {
      await sink.revoked([feed.ref]);
      feed.close();
      lot.revoked(request.group, feed.ref);
      this.settledBefore.delete(feed.source.consumer);
      if (!client.isConnected) this.settledBefore.set(feed.source.consumer, feed.settled);
      if (feed.revision === undefined || !client.isConnected) return;
      await client.connection.flush();
      await this.unpin(feed);
      await this.owners.giveUp(topic, number, feed.revision);
    } catch (error) {
      // It is taken up again by this member, or by another one when this is not heard any more.
      this.site.debug(`A partition could not be given back: ${(error as Error).message}`);
    } finally {
      this.feeds.delete(feed);
      if (!isStopped()) this.site.changed();
    }
  }
}
