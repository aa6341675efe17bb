import type { DataSource } from '@core-infra/database';
import type { OutgoingMessage } from '../../driver/message.js';
import { BUCKETS } from '../buckets.js';

/** An event in the outbox. */
export interface OutboxRow extends OutgoingMessage {
  /** Ascends as events are written. */
  readonly seq: string;
  readonly createdAt: number;
}

interface Row {
  readonly seq: string;
  readonly id: string;
  readonly kind: OutgoingMessage['kind'];
  readonly topic: string;
  readonly key: string | null;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly created_ms: number;
  /** Bytes up to this row. */
  readonly total: string;
}

/** Events that are left out: all of these keys, and those at these places. */
export interface Waiting {
  readonly keys: readonly string[];
  readonly seqs: readonly string[];
}

/** How much is read at once: so many events, and no more once they have so many bytes. */
export interface BatchLimit {
  readonly events: number;
  readonly bytes: number;
}

export interface Batch {
  readonly rows: readonly OutboxRow[];
  /** A limit has ended it. */
  readonly isFull: boolean;
}

/** What the relay does with a connection while it holds its buckets. */
export interface Hold {
  readonly buckets: readonly number[];
  /** The first events of these buckets, in the order in which they were written, without those that wait. */
  read(limit: BatchLimit, without: Waiting): Promise<Batch>;
  remove(rows: readonly OutboxRow[]): Promise<void>;
}

type Query = <Result>(sql: string, parameters?: unknown[]) => Promise<Result>;

/**
 * Locks the rows of free buckets for as long as `work` runs, in one transaction with what it removes. Who dies or hangs loses its locks with its
 * connection: the server ends a transaction that has been idle for `leaseMs`, and what it would have removed is there for the next.
 * @returns what `work` returns; `undefined` when none of the buckets was free
 */
export async function holdBuckets<Result>(
  dataSource: DataSource,
  wanted: { readonly buckets: readonly number[]; readonly atMost: number; readonly leaseMs: number },
  work: (hold: Hold) => Promise<Result>,
): Promise<Result | undefined> {
  const runner = dataSource.createQueryRunner();
  const query: Query = (sql, parameters) => runner.query(sql, parameters) as Promise<never>;
  try {
    await runner.startTransaction();
    await query(settings(wanted.leaseMs));
    // Rows are read by a later statement, whose snapshot sees all that the bucket's last holder has removed.
    const locked = await query<{ bucket: number }[]>(
      `SELECT bucket FROM messaging_outbox_buckets WHERE bucket = ANY($1::smallint[]) ORDER BY random() LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [wanted.buckets, wanted.atMost],
    );
    if (locked.length === 0) {
      await runner.rollbackTransaction();
      return undefined;
    }
    const buckets = locked.map(({ bucket }) => bucket);
    const result = await work({
      buckets,
      read: (limit, without) => readRows(query, buckets, limit, without),
      remove: rows => removeRows(query, rows),
    });
    await runner.commitTransaction();
    return result;
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined); // what broke is told
    throw error;
  } finally {
    await runner.release();
  }
}

/**
 * Statistics say nothing of a table that was empty a moment ago: left to itself, the server would sort all events of a bucket for the first few, which the
 * index has in order.
 */
function settings(leaseMs: number): string {
  const off = ['enable_sort', 'enable_bitmapscan', 'enable_seqscan'].map(name => `SET LOCAL ${name} = off`);
  const lease = `SET LOCAL idle_in_transaction_session_timeout = ${Math.trunc(leaseMs)}`;
  return ['SET TRANSACTION ISOLATION LEVEL READ COMMITTED', lease, ...off].join('; ');
}

const columns =
  'seq, id, kind, topic, key, headers, body, floor(extract(epoch FROM created_at) * 1000)::double precision AS created_ms';
const bytes = 'octet_length(body) + pg_column_size(headers)';

async function readRows(
  query: Query,
  buckets: readonly number[],
  limit: BatchLimit,
  { keys, seqs }: Waiting,
): Promise<Batch> {
  const some = keys.length + seqs.length > 0;
  const free = some ? 'AND (key IS NULL OR key <> ALL($3::text[])) AND seq <> ALL($4::bigint[])' : '';
  const of = (which: string): string => `(SELECT ${columns} FROM messaging_outbox WHERE ${which} ${free} ORDER BY seq)`;
  // Some buckets are merged from the index, each in its order; all are in the order of the primary key.
  const first =
    buckets.length === BUCKETS ? of('true') : buckets.map(bucket => of(`bucket = ${bucket}`)).join(' UNION ALL ');
  const found = await query<Row[]>(
    `SELECT * FROM (
       SELECT *, sum(${bytes}) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS total FROM (SELECT * FROM (${first}) AS every ORDER BY seq LIMIT $1) AS first
     ) AS summed WHERE total - (${bytes}) < $2`,
    [limit.events, limit.bytes, ...(some ? [keys, seqs] : [])],
  );
  const rows = found.map(({ seq, id, kind, topic, key, headers, body, created_ms: createdAt }): OutboxRow => {
    const row = { seq, id, kind, topic, headers, body, createdAt };
    return key === null ? row : { ...row, key };
  });
  return { rows, isFull: rows.length >= limit.events || Number(found.at(-1)?.total ?? 0) >= limit.bytes };
}

async function removeRows(query: Query, rows: readonly OutboxRow[]): Promise<void> {
  await query('DELETE FROM messaging_outbox WHERE seq = ANY($1::bigint[])', [rows.map(({ seq }) => seq)]);
}

/**
 * Moves events whose time has come into the outbox. Relays wait for each other with the same rows: one that passed them by could write the later events
 * of a key before the earlier ones.
 */
export async function promoteDue(dataSource: DataSource, limit: number): Promise<void> {
  const moved = 'bucket, id, kind, topic, key, headers, body';
  await dataSource.query(
    `WITH due AS (
       DELETE FROM messaging_scheduled WHERE seq IN (
         SELECT seq FROM messaging_scheduled WHERE due_at <= now() ORDER BY due_at, seq LIMIT $1 FOR UPDATE
       ) RETURNING due_at, seq, ${moved}
     ) INSERT INTO messaging_outbox (${moved}) SELECT ${moved} FROM due ORDER BY due_at, seq`,
    [limit],
  );
}

/** One look at what there is to do. */
export async function lookAhead(
  dataSource: DataSource,
): Promise<{ readonly waiting: boolean; readonly dueInMs: number | undefined }> {
  const [row] = await dataSource.query<{ waiting: boolean; due: string | null }[]>(
    `SELECT EXISTS (SELECT 1 FROM messaging_outbox) AS waiting,
            (SELECT extract(epoch FROM min(due_at) - clock_timestamp()) * 1000 FROM messaging_scheduled) AS due`,
  );
  return { waiting: row!.waiting, dueInMs: row!.due === null ? undefined : Math.max(0, Number(row!.due)) };
}

/** How many events wait, counted up to a limit, and for how long the first has. */
export async function backlogOf(
  dataSource: DataSource,
  countTo: number,
): Promise<{ readonly events: number; readonly oldestMs: number }> {
  const [row] = await dataSource.query<{ events: string; oldest: string | null }[]>(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM messaging_outbox LIMIT $1) AS waiting) AS events,
            (SELECT extract(epoch FROM clock_timestamp() - created_at) * 1000 FROM messaging_outbox ORDER BY seq LIMIT 1) AS oldest`,
    [countTo],
  );
  return { events: Number(row!.events), oldestMs: Math.max(0, Math.round(Number(row!.oldest ?? 0))) };
}
