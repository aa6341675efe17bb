import { randomUUID } from 'node:crypto';
import type { DataSource } from '@core-infra/database';
import type { Clock } from '@core-infra/kernel';

/** How often a relay says that it is at work, while it is, and looks who else is. */
const everyMs = 2_000;
/** One that has not said so for this long is not counted any more. */
const goneMs = 3 * everyMs;

/** Relays that are at work beside this one, and among which the buckets are shared. */
export class Peers {
  private readonly relay = randomUUID();
  private saidAt = -Infinity;
  private others = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** How many relays are at work, this one included. */
  async count(): Promise<number> {
    const now = this.clock.monotonic();
    if (now - this.saidAt < everyMs) return this.others + 1;
    const [row] = await this.dataSource.query<{ others: number }[]>(
      `WITH own AS (
         INSERT INTO messaging_outbox_relays (relay, seen_at) VALUES ($1, clock_timestamp())
         ON CONFLICT (relay) DO UPDATE SET seen_at = excluded.seen_at
       ), gone AS (
         DELETE FROM messaging_outbox_relays WHERE relay <> $1 AND seen_at < clock_timestamp() - interval '1 hour'
       )
       SELECT count(*)::integer AS others FROM messaging_outbox_relays
       WHERE relay <> $1 AND seen_at > clock_timestamp() - $2 * interval '1 millisecond'`,
      [this.relay, goneMs],
    );
    this.saidAt = now;
    this.others = row!.others;
    return this.others + 1;
  }

  /** The others need not leave it anything any more. */
  async leave(): Promise<void> {
    if (this.saidAt === -Infinity) return;
    await this.dataSource.query('DELETE FROM messaging_outbox_relays WHERE relay = $1', [this.relay]);
  }
}
