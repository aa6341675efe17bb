import type { PostgresMessagingConfig } from '../../config/postgres-messaging.config.js';
import type { Connection } from './connection.js';
import { channelOf } from './queues.js';

/** A message on its way into the table. */
export interface NewJob {
  readonly id: string;
  /** Either a topic, for all queues that subscribe to it, or one queue. */
  readonly topic?: string;
  readonly queue?: string;
  readonly key?: string;
  readonly partition: number;
  /** In milliseconds since 1970. */
  readonly notBefore?: number;
  readonly data: string;
}

/** A message that a member has claimed. */
export interface Job {
  readonly name: string;
  readonly id: string;
  readonly number: number;
  readonly data: object;
  readonly bytes: number;
  /** When it was inserted, in milliseconds since 1970, to a part of a microsecond. */
  readonly time: number;
}

export interface Claim {
  readonly member: string;
  readonly queues: readonly string[];
  readonly numbers: readonly number[];
  readonly limit: number;
  readonly maxBytes: number;
}

export interface PutBack {
  readonly member: string;
  readonly numbers: readonly number[];
  /** Jobs to be put back. @default all */
  readonly only?: readonly string[];
  /** Jobs that the member has. */
  readonly except?: readonly string[];
}

/** pg-boss's limit of how long a job may be at work; ours is the lease of its member. */
const forever = 2_000_000_000;

/**
 * Statements on pg-boss's table of jobs, for what its own API does not do: one insert for all groups, and fetching many of one key in their order.
 * A job's `priority` and `group_id` are the number of its partition.
 */
export class Jobs {
  constructor(
    private readonly connection: Connection,
    private readonly config: PostgresMessagingConfig,
  ) {}

  /** Inserts all or nothing; a queue that is not there is an error of the database. Resolves with the queues they went to, and when the first of each is due. */
  insert(jobs: readonly NewJob[]): Promise<{ readonly name: string; readonly due: number | null }[]> {
    const { schema, listen } = this.config;
    const told = listen
      ? `, told AS (SELECT pg_notify('${channelOf(schema)}', name || ' ' || coalesce(due::text, '')) FROM queues)`
      : '';
    const topics = new Map<string, number>();
    const queues = new Map<string, number>();
    // Topics count up from 1, queues down from -1.
    const places = jobs.map(({ topic, queue }) =>
      queue === undefined ? placeOf(topics, topic!) : -placeOf(queues, queue),
    );
    return this.connection.query(
      `WITH given AS (
         SELECT * FROM ROWS FROM (unnest($1::uuid[], $2::int[], $5::int[], $6::timestamptz[]), jsonb_array_elements($7::jsonb))
           AS g (id, place, number, due, data)
       ), target AS (
         SELECT g.*, s.name FROM given g JOIN ${schema}.subscription s ON s.event = ($3::text[])[g.place] WHERE g.place > 0
         UNION ALL SELECT g.*, ($4::text[])[-g.place] FROM given g WHERE g.place < 0
       ), inserted AS (
         INSERT INTO ${schema}.job (id, name, data, priority, group_id, start_after, created_on, keep_until, retry_limit, expire_seconds, deletion_seconds, policy)
         SELECT t.id, q.name, t.data, t.number, t.number::text, coalesce(t.due, now()), now(),
                coalesce(t.due, now()) + q.retention_seconds * interval '1s', 0, ${forever}, q.deletion_seconds, q.policy
         FROM target t LEFT JOIN ${schema}.queue q ON q.name = t.name
         RETURNING name, CASE WHEN start_after > now() THEN start_after END AS due
       ), queues AS (
         SELECT name, CASE WHEN count(due) = count(*) THEN round(extract(epoch FROM min(due)) * 1000)::bigint END AS due FROM inserted GROUP BY name
       )${told}
       SELECT name, due::float8 ${listen ? ', (SELECT count(*) FROM told) AS told' : ''} FROM queues`,
      [
        // Lists in one text where nothing of them is to be quoted, and the few names that most of them share once.
        `{${jobs.map(({ id }) => id).join()}}`,
        `{${places.join()}}`,
        [...topics.keys()],
        [...queues.keys()],
        `{${jobs.map(({ partition }) => partition).join()}}`,
        jobs.some(({ notBefore }) => notBefore !== undefined) ? jobs.map(({ notBefore }) => timeOf(notBefore)) : null,
        jsonOf(jobs),
      ],
    );
  }

  /**
   * Takes the first jobs of partitions that are the member's. Their leases stay locked meanwhile, so that who takes one over sees everything that was
   * claimed under it. `group_id` is set to what it is: else PostgreSQL takes the new version for a mere copy to its index, and looks for old ones to be
   * removed there, among as many as are like it: a third of the whole.
   */
  async claim({ member, queues, numbers, limit, maxBytes }: Claim): Promise<Job[]> {
    const { schema } = this.config;
    const jobs = await this.connection.query<Job>(
      `WITH held AS MATERIALIZED (
         SELECT p.name, p.number FROM ${schema}.messaging_partition p
         JOIN unnest($2::text[], $3::int[]) AS w (name, number) ON w.name = p.name AND w.number = p.number
         WHERE p.member = $1 AND p.until > clock_timestamp() FOR SHARE OF p
       ), first AS (
         SELECT h.name, j.id, j.created_on, pg_column_size(j.data) AS bytes
         FROM held h CROSS JOIN LATERAL (
           SELECT id, created_on, data FROM ${schema}.job
           WHERE name = h.name AND priority = h.number AND state < 'active' AND NOT blocked AND start_after <= now()
           ORDER BY created_on, id LIMIT $6
         ) AS j ORDER BY j.created_on, j.id LIMIT $4
       ), fitting AS (
         SELECT name, id FROM (
           SELECT name, id, bytes, sum(bytes) OVER (ORDER BY created_on, id ROWS UNBOUNDED PRECEDING) AS total FROM first
         ) AS summed WHERE total - bytes < $5
       )
       UPDATE ${schema}.job j SET state = 'active', started_on = now(), group_id = j.group_id FROM fitting f
       WHERE j.name = f.name AND j.id = f.id AND j.state < 'active'
       RETURNING j.name, j.id, j.priority AS number, j.data, pg_column_size(j.data) AS bytes, extract(epoch FROM j.created_on)::float8 * 1000 AS time`,
      [member, queues, numbers, limit, maxBytes, Math.max(16, Math.ceil((2 * limit) / Math.max(1, queues.length)))],
    );
    return jobs.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
  }

  /**
   * What is claimed of partitions can be claimed again, as far as they are still the member's: what another has claimed since is left alone.
   */
  async putBack(queue: string, { member, numbers, only, except = [] }: PutBack): Promise<void> {
    const { schema } = this.config;
    await this.connection.query(
      `WITH held AS MATERIALIZED (
         SELECT number FROM ${schema}.messaging_partition WHERE name = $1 AND number = ANY($2::int[]) AND member = $4 FOR SHARE
       )
       UPDATE ${schema}.job SET state = 'created', started_on = NULL
       WHERE name = $1 AND state = 'active' AND group_id = ANY($3::text[]) AND group_id IN (SELECT number::text FROM held)
         AND id <> ALL($5::uuid[]) ${only ? 'AND id = ANY($6::uuid[])' : ''}`,
      [queue, numbers, numbers.map(String), member, except, ...(only ? [only] : [])],
    );
  }

  /** What waits, by queue; what is due later is not counted. */
  backlog(
    queues: readonly string[],
  ): Promise<{ readonly name: string; readonly messages: number; readonly oldest: number | null }[]> {
    const { schema } = this.config;
    return this.connection.query(
      `SELECT q.name, count(j.id)::float8 AS messages, extract(epoch FROM clock_timestamp() - min(j.created_on))::float8 * 1000 AS oldest
       FROM unnest($1::text[]) AS q (name) LEFT JOIN ${schema}.job j ON j.name = q.name AND j.state <= 'active' AND j.start_after <= now()
       GROUP BY q.name`,
      [queues],
    );
  }
}

/** Where a name is in a list of them, from 1; it is put there if it is not. */
function placeOf(names: Map<string, number>, name: string): number {
  let place = names.get(name);
  if (place === undefined) names.set(name, (place = names.size + 1));
  return place;
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

/** Not as a list of texts: to put quotes about them costs more than all else here. And joined once, as brackets about it would copy it all again. */
function jsonOf(jobs: readonly NewJob[]): string {
  const parts: string[] = [];
  for (const { data } of jobs) parts.push(parts.length === 0 ? '[' : ',', data);
  parts.push(']');
  return parts.join('');
}
