import type { PostgresMessagingConfig } from '../../config/postgres-messaging.config.js';
import type { Connection } from './connection.js';
import { channelOf } from './queues.js';

/** A partition as a member sees it. */
export interface Lease {
  readonly name: string;
  readonly number: number;
  readonly mine: boolean;
  readonly free: boolean;
}

/** How queues stand: who has which partition, and among how many members they are shared. */
export interface Standing {
  readonly leases: readonly Lease[];
  readonly members: ReadonlyMap<string, number>;
}

/** Who of a group has which partition of its queues: rows with an end, by the clock of the database. */
export class Leases {
  constructor(
    private readonly connection: Connection,
    private readonly config: PostgresMessagingConfig,
    readonly member: string,
  ) {}

  /** Gives a sign of life, renews what is held, and looks around. */
  async renew(queues: readonly string[]): Promise<Standing> {
    const { schema, leaseMs } = this.config;
    const rows = await this.connection.query<Lease & { members: number }>(
      `WITH me AS (
         INSERT INTO ${schema}.messaging_member (name, member, until) SELECT name, $2, clock_timestamp() + $3 * interval '1 ms' FROM unnest($1::text[]) AS q (name)
         ON CONFLICT (name, member) DO UPDATE SET until = EXCLUDED.until
       ), mine AS (
         UPDATE ${schema}.messaging_partition SET until = clock_timestamp() + $3 * interval '1 ms' WHERE name = ANY($1) AND member = $2 RETURNING name, number
       ), members AS (
         SELECT name, count(*) AS members FROM ${schema}.messaging_member WHERE name = ANY($1) AND member <> $2 AND until > clock_timestamp() GROUP BY name
       )
       SELECT p.name, p.number, m.name IS NOT NULL AS mine, (p.member IS NULL OR p.until <= clock_timestamp()) AS free, 1 + coalesce(o.members, 0)::int AS members
       FROM ${schema}.messaging_partition p LEFT JOIN mine m ON m.name = p.name AND m.number = p.number LEFT JOIN members o ON o.name = p.name
       WHERE p.name = ANY($1)`,
      [queues, this.member, leaseMs],
    );
    return { leases: rows, members: new Map(rows.map(({ name, members }) => [name, members])) };
  }

  /** Takes those of the partitions that are nobody's, or of a member that is dead. Resolves with what it got. */
  async take(queue: string, numbers: readonly number[]): Promise<readonly number[]> {
    const { schema, leaseMs } = this.config;
    const taken = await this.connection.query<{ number: number }>(
      `WITH free AS (
         SELECT name, number FROM ${schema}.messaging_partition
         WHERE name = $1 AND number = ANY($2::int[]) AND (member IS NULL OR member = $3 OR until <= clock_timestamp()) FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE ${schema}.messaging_partition p SET member = $3, until = clock_timestamp() + $4 * interval '1 ms'
         FROM free f WHERE p.name = f.name AND p.number = f.number RETURNING p.number
       ) SELECT number FROM taken`,
      [queue, numbers, this.member, leaseMs],
    );
    return taken.map(({ number }) => number);
  }

  /** Gives partitions to whoever wants them, and tells. */
  async give(queue: string, numbers: readonly number[]): Promise<void> {
    const { schema } = this.config;
    await this.connection.query(
      `WITH given AS (
         UPDATE ${schema}.messaging_partition SET member = NULL WHERE name = $1 AND number = ANY($2::int[]) AND member = $3
       ) ${this.tell}`,
      [queue, numbers, this.member],
    );
  }

  /** Says to the other members that there is one more. */
  async announce(queues: readonly string[]): Promise<void> {
    const { schema } = this.config;
    for (const queue of queues)
      await this.connection.query(
        `WITH dead AS (
           DELETE FROM ${schema}.messaging_member WHERE (name, member) IN (
             SELECT name, member FROM ${schema}.messaging_member WHERE name = $1 AND until < clock_timestamp() - interval '1 h' FOR UPDATE SKIP LOCKED)
         ) ${this.tell}`,
        [queue],
      );
  }

  async leave(queue: string): Promise<void> {
    const { schema } = this.config;
    await this.connection.query(
      `WITH gone AS (DELETE FROM ${schema}.messaging_member WHERE name = $1 AND member = $2),
       given AS (UPDATE ${schema}.messaging_partition SET member = NULL WHERE name = $1 AND member = $2) ${this.tell}`,
      [queue, this.member],
    );
  }

  private get tell(): string {
    const { listen, schema } = this.config;
    return listen ? `SELECT pg_notify('${channelOf(schema)}', $1 || ' members')` : 'SELECT 1';
  }
}
