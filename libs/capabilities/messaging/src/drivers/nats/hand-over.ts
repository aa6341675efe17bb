import type { ConsumeRequest, DeliverySink } from '../../driver/message-driver.js';
import type { Feed } from './feed.js';
import { type Held, heldOf } from './held.js';

/** Hands a member's messages over, no more than it may have in hand. */
export class HandOver {
  isPaused = false;
  private isStopped = false;
  private messages = 0;
  private bytes = 0;
  private scheduled = false;

  constructor(
    private readonly feeds: ReadonlySet<Feed>,
    private readonly limits: Pick<ConsumeRequest, 'maxInFlight' | 'maxBytesInFlight'>,
    private readonly sink: DeliverySink,
  ) {}

  pause(): void {
    this.isPaused = true;
    for (const feed of this.feeds) feed.paused = true;
  }

  resume(): void {
    this.isPaused = false;
    for (const feed of this.feeds) {
      feed.paused = false;
      feed.tick();
    }
    this.schedule();
  }

  stop(): void {
    this.isStopped = true;
  }

  /** There is something to hand over, or room for it. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    // What came in one read of the socket goes on together.
    queueMicrotask(() => {
      this.scheduled = false;
      this.handOver();
    });
  }

  letGo({ bytes }: Held): void {
    const wasFull = this.isFull;
    this.messages -= 1;
    this.bytes -= bytes;
    if (wasFull) this.schedule();
  }

  private get isFull(): boolean {
    return this.messages >= this.limits.maxInFlight || this.bytes >= this.limits.maxBytesInFlight;
  }

  private handOver(): void {
    const { maxInFlight, maxBytesInFlight } = this.limits;
    for (const feed of this.feeds) {
      if (this.isPaused || this.isStopped || this.isFull) return;
      const taken = feed.take(maxInFlight - this.messages, maxBytesInFlight - this.bytes);
      if (taken.length === 0) continue;
      this.messages += taken.length;
      for (const message of taken) this.bytes += heldOf(message).bytes;
      this.sink.deliver(taken);
    }
  }
}
