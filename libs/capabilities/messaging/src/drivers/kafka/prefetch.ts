import type { Feed } from './feed.js';

/** Of one partition: more than is handled while kafkajs sleeps, as it does when all its partitions pause. */
const MOST_BYTES = 8 * 1024 * 1024;
const LEAST_BYTES = 64 * 1024;
/** Fewer bytes than this part of what may wait, and more is fetched. */
export const LOW = 0.5;

/** What was fetched of several partitions and waits to be handed over: once it is more than a bound, nothing is fetched of any of them. */
export class Prefetch {
  private readonly feeds = new Set<Feed>();
  private bytes = 0;
  private isFull = false;
  private isHeld = false;

  constructor(private readonly mostBytes: number) {}

  /** Whether nothing more is to be fetched of a partition of which so many bytes wait. */
  isClosedTo(bytes: number): boolean {
    // What comes for a partition that pauses is thrown away by kafkajs. A fetch that itself is why the group is held up would never arrive.
    return this.isFull || (this.isHeld && bytes > 0);
  }

  /** Bytes of one partition that may wait. */
  get share(): number {
    return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, this.mostBytes / Math.max(1, this.feeds.size)));
  }

  join(feed: Feed): void {
    this.feeds.add(feed);
    feed.weigh();
  }

  leave(feed: Feed): void {
    this.feeds.delete(feed);
  }

  /** Nothing more is fetched of partitions of which something waits, whatever room there is. */
  hold(isHeld: boolean): void {
    if (isHeld === this.isHeld) return;
    this.isHeld = isHeld;
    this.weighAll();
  }

  /** So many bytes wait more, or less. */
  change(bytes: number): void {
    this.bytes += bytes;
    const isFull = this.bytes > this.mostBytes * (this.isFull ? LOW : 1);
    if (isFull === this.isFull) return;
    this.isFull = isFull;
    this.weighAll();
  }

  private weighAll(): void {
    for (const feed of this.feeds) feed.weigh();
  }
}
