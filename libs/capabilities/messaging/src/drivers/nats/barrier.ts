import type { NatsClient } from '@core-infra/nats';
import type { Clock } from '@core-infra/kernel';
import type { Source } from './names.js';

export interface BarrierSite {
  readonly client: NatsClient;
  readonly clock: Clock;
  readonly source: Source;
  /** What is here and not settled, by its number. */
  readonly known: ReadonlyMap<number, unknown>;
  /** Whether the partition is to be worked on. */
  isWanted(): boolean;
  /** So many messages have come back, or will. */
  fetch(missing: number): void;
  /** It is open. */
  opened(): void;
}

/** How often the server is asked, in milliseconds. */
const PAUSE_MS = 50;

/**
 * Holds a partition's messages until all that was delivered before, and not settled, is here: it would come behind what is newer. Those who had it give it
 * back, or their time runs out.
 */
export class Barrier {
  /** Until when what others may have in hand is not asked for. */
  private shut?: { readonly fetchAt: number };
  private polling = false;

  constructor(private readonly site: BarrierSite) {}

  get isShut(): boolean {
    return this.shut !== undefined;
  }

  /** @param fetchAfterMs how long what others may have in hand takes to come back */
  close(fetchAfterMs: number): void {
    this.shut = { fetchAt: this.site.clock.monotonic() + fetchAfterMs };
    if (!this.polling) void this.poll();
  }

  private async poll(): Promise<void> {
    this.polling = true;
    try {
      while (this.shut && this.site.isWanted()) {
        const { shut } = this;
        const isOver = await this.isOver(shut.fetchAt).catch(() => false);
        if (isOver && this.shut === shut) {
          delete this.shut;
          this.site.opened();
        } else await new Promise(resolve => setTimeout(resolve, PAUSE_MS).unref());
      }
    } finally {
      this.polling = false;
    }
  }

  /** Whether nothing of the consumer is anywhere else; fetches what has come back. */
  private async isOver(fetchAt: number): Promise<boolean> {
    const { client, clock, source, known } = this.site;
    const manager = await client.jetstreamManager();
    const before = [...known.keys()];
    const { num_ack_pending: pending } = await manager.consumers.info(source.stream, source.consumer);
    // What came since is not among the pending, or among those that others had: only what was here all the time surely is.
    const missing = pending - before.filter(sequence => known.has(sequence)).length;
    if (missing > 0 && clock.monotonic() >= fetchAt) this.site.fetch(missing);
    return missing <= 0;
  }
}
