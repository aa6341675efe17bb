import type { DataSource } from '@core-infra/database';
import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from '../../stores/dead-letters.js';
import { type Envelope, envelopeOf, searchable } from './encoding.js';

interface Row {
  readonly id: string;
  readonly group: string;
  readonly reason: DeadLetter['reason'];
  readonly error: DeadLetter['error'];
  readonly envelope: Envelope;
  readonly body: Buffer;
  readonly partition: number;
  readonly position: string;
  readonly attempts: number;
  readonly first_attempt_at: Date;
  readonly last_attempt_at: Date;
  readonly trace_id: string | null;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Dead letters in a table, until they are replayed or discarded. */
export class DatabaseDeadLetters implements DeadLetterStore {
  constructor(private readonly dataSource: DataSource) {}

  async add(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    // Added again when it is not known whether the first time succeeded.
    await this.dataSource.query(
      `INSERT INTO messaging_dead_letters
         (id, "group", topic, key, reason, error_name, error_code, error, envelope, body, partition, position, attempts,
          first_attempt_at, last_attempt_at, trace_id)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::json[], $9::json[],
         $10::bytea[], $11::integer[], $12::bigint[], $13::integer[], $14::timestamptz[], $15::timestamptz[], $16::text[])
       ON CONFLICT (id) DO NOTHING`,
      [
        letters.map(({ id }) => id),
        letters.map(({ group }) => group),
        letters.map(({ message }) => searchable(message.topic)),
        letters.map(({ message: { key } }) => (key === undefined ? null : searchable(key))),
        letters.map(({ reason }) => reason),
        letters.map(({ error }) => searchable(error.name)),
        letters.map(({ error: { code } }) => (code === undefined ? null : searchable(code))),
        letters.map(({ error }) => JSON.stringify(error)),
        letters.map(({ message, kind }) => envelopeOf(message, kind)),
        letters.map(({ message }) => message.body),
        letters.map(({ partition }) => partition),
        letters.map(({ position }) => position),
        letters.map(({ attempts }) => attempts),
        letters.map(({ firstAttemptAt }) => new Date(firstAttemptAt).toISOString()),
        letters.map(({ lastAttemptAt }) => new Date(lastAttemptAt).toISOString()),
        letters.map(({ traceId }) => traceId ?? null),
      ],
    );
  }

  async list(
    filter: DeadLetterFilter,
    { limit, after }: { readonly limit: number; readonly after?: string },
    signal: AbortSignal,
  ): Promise<readonly DeadLetter[]> {
    signal.throwIfAborted();
    if (after !== undefined && !uuid.test(after)) return [];
    const where = conditionOf(filter);
    if (after !== undefined) where.add('id > $', after);
    const rows = await this.dataSource.query<Row[]>(
      `SELECT * FROM messaging_dead_letters WHERE ${where.sql} ORDER BY id LIMIT ${Math.trunc(limit)}`,
      where.parameters,
    );
    return rows.map(letterOf);
  }

  async get(id: string, signal: AbortSignal): Promise<DeadLetter | undefined> {
    signal.throwIfAborted();
    if (!uuid.test(id)) return undefined;
    const [row] = await this.dataSource.query<Row[]>('SELECT * FROM messaging_dead_letters WHERE id = $1', [id]);
    return row && letterOf(row);
  }

  async remove(ids: readonly string[], signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const [row] = await this.dataSource.query<{ gone: number }[]>(
      `WITH gone AS (DELETE FROM messaging_dead_letters WHERE id = ANY($1::uuid[]) RETURNING 1)
       SELECT count(*)::integer AS gone FROM gone`,
      [ids.filter(id => uuid.test(id))],
    );
    return row!.gone;
  }

  async count(filter: DeadLetterFilter, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const where = conditionOf(filter);
    const [row] = await this.dataSource.query<{ count: string }[]>(
      `SELECT count(*) FROM messaging_dead_letters WHERE ${where.sql}`,
      where.parameters,
    );
    return Number(row!.count);
  }

  async sizes(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    signal.throwIfAborted();
    const rows = await this.dataSource.query<{ group: string; letters: string }[]>(
      'SELECT "group", count(*) AS letters FROM messaging_dead_letters GROUP BY "group"',
    );
    return new Map(rows.map(({ group, letters }) => [group, Number(letters)]));
  }
}

/** Conditions that all must hold; `$` is the place of their value. */
class Condition {
  readonly parameters: unknown[] = [];
  private readonly parts: string[] = [];

  add(part: string, value: unknown): void {
    this.parameters.push(value);
    this.parts.push(part.replaceAll('$', `$${this.parameters.length}`));
  }

  get sql(): string {
    return this.parts.length > 0 ? this.parts.join(' AND ') : 'true';
  }
}

function conditionOf({ group, topic, key, error, reason, since, until }: DeadLetterFilter): Condition {
  const where = new Condition();
  if (group !== undefined) where.add('"group" = $', searchable(group));
  if (topic !== undefined) where.add('topic = $', searchable(topic));
  if (key !== undefined) where.add('key = $', searchable(key));
  if (error !== undefined) where.add('(error_code = $ OR error_name = $)', searchable(error));
  if (reason !== undefined) where.add('reason = $', reason);
  if (since !== undefined) where.add('last_attempt_at >= $', new Date(since).toISOString());
  if (until !== undefined) where.add('last_attempt_at <= $', new Date(until).toISOString());
  return where;
}

function letterOf(row: Row): DeadLetter {
  const { id, group, reason, error, body, partition, position, attempts, trace_id: traceId } = row;
  const { kind, ...envelope } = row.envelope;
  return {
    id,
    group,
    message: { ...envelope, body },
    ...(kind && { kind }),
    reason,
    error,
    partition,
    position: Number(position),
    attempts,
    firstAttemptAt: row.first_attempt_at.getTime(),
    lastAttemptAt: row.last_attempt_at.getTime(),
    ...(traceId !== null && { traceId }),
  };
}
