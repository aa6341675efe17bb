import type { DeadLetter, DeadLetterFilter, DeadLetterStore } from '../../stores/dead-letters.js';
import type { Boss } from './boss.js';
import type { Connection } from './connection.js';
import { decodeJob, encodeJob, fromJsonb, toJsonb } from './job-data.js';

/** The queue of pg-boss that keeps them; no group fetches from it. */
const QUEUE = 'messaging/dead-letters';
const forever = 2_000_000_000;
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

interface Stored extends Omit<DeadLetter, 'message'> {
  readonly message: object;
  readonly topic: string;
}

/** Dead letters as jobs of a queue of their own, until they are replayed or discarded. */
export class PostgresDeadLetters implements DeadLetterStore {
  constructor(
    private readonly connection: Connection,
    private readonly boss: Boss,
    private readonly schema: string,
  ) {}

  async add(letters: readonly DeadLetter[]): Promise<void> {
    await this.boss.ensureQueue(QUEUE);
    const rows = letters.map(letter => {
      const { group, message, reason, error, lastAttemptAt } = letter;
      const { topic, key } = message;
      const stored = toJsonb({ ...letter, message: JSON.parse(encodeJob(message)) as object, topic } satisfies Stored);
      return {
        id: letter.id,
        data: `{"group":${text(group)},"topic":${text(topic)},"key":${text(key)},"reason":"${reason}","error":${text(error.name)},"code":${text(error.code)},"at":${lastAttemptAt},"letter":${stored}}`,
      };
    });
    await this.connection.query(
      `INSERT INTO ${this.schema}.job (id, name, data, policy, keep_until, expire_seconds)
       SELECT id, $1, data::jsonb, 'standard', now() + ${forever} * interval '1s', ${forever} FROM unnest($2::uuid[], $3::text[]) AS l (id, data)
       ON CONFLICT DO NOTHING`,
      [QUEUE, rows.map(({ id }) => id), rows.map(({ data }) => data)],
    );
  }

  async list(
    filter: DeadLetterFilter,
    { limit, after }: { readonly limit: number; readonly after?: string },
  ): Promise<readonly DeadLetter[]> {
    if (after !== undefined && !uuid.test(after)) return [];
    const { where, values } = this.where(filter);
    if (after !== undefined) values.push(after);
    const behind = after === undefined ? '' : `AND id > $${values.length}::uuid`;
    const rows = await this.connection.query<{ letter: object }>(
      `SELECT data->'letter' AS letter FROM ${this.schema}.job WHERE ${where} ${behind} ORDER BY id LIMIT ${Math.trunc(limit)}`,
      values,
    );
    return rows.map(({ letter }) => restored(letter));
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    if (!uuid.test(id)) return undefined;
    const [row] = await this.connection.query<{ letter: object }>(
      `SELECT data->'letter' AS letter FROM ${this.schema}.job WHERE name = $1 AND id = $2::uuid`,
      [QUEUE, id],
    );
    return row && restored(row.letter);
  }

  async remove(ids: readonly string[]): Promise<number> {
    const gone = await this.connection.query(
      `DELETE FROM ${this.schema}.job WHERE name = $1 AND id::text = ANY($2::text[]) RETURNING id`,
      [QUEUE, ids],
    );
    return gone.length;
  }

  async count(filter: DeadLetterFilter): Promise<number> {
    const { where, values } = this.where(filter);
    const [row] = await this.connection.query<{ count: string }>(
      `SELECT count(*) FROM ${this.schema}.job WHERE ${where}`,
      values,
    );
    return Number(row!.count);
  }

  async sizes(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.connection.query<{ group: string; letters: string }>(
      `SELECT data->>'group' AS "group", count(*) AS letters FROM ${this.schema}.job WHERE name = $1 GROUP BY data->>'group'`,
      [QUEUE],
    );
    return new Map(rows.map(({ group, letters }) => [group, Number(letters)]));
  }

  private where({ group, topic, key, error, reason, since, until }: DeadLetterFilter): {
    where: string;
    values: unknown[];
  } {
    const values: unknown[] = [QUEUE];
    const parts = ['name = $1'];
    const add = (value: unknown, condition: (place: string) => string): void => {
      if (value === undefined) return;
      values.push(value);
      parts.push(condition(`$${values.length}`));
    };
    const is = (field: string) => (place: string) => `data->>'${field}' = ${place}`;
    add(group, is('group'));
    add(topic, is('topic'));
    add(key === undefined ? undefined : kept(key), is('key'));
    add(reason, is('reason'));
    add(error, place => `(data->>'error' = ${place} OR data->>'code' = ${place})`);
    add(since, place => `(data->>'at')::float8 >= ${place}::float8`);
    add(until, place => `(data->>'at')::float8 <= ${place}::float8`);
    return { where: parts.join(' AND '), values };
  }
}

/** Text that is searched by; what `jsonb` cannot hold is replaced. */
const kept = (value: string): string => value.toWellFormed().replaceAll('\u0000', '\ufffd');

const text = (value: string | undefined): string => (value === undefined ? 'null' : JSON.stringify(kept(value)));

function restored(value: object): DeadLetter {
  const { message, topic, ...rest } = fromJsonb<Stored>(value as Stored);
  return { ...rest, message: decodeJob({ id: rest.id, data: message }, topic) };
}
