import type { Partition } from '../../driver/message.js';
import { ParkingFullError } from '../../errors.js';
import type { ParkedKey, ParkedMessage, ParkingLot, ParkRequest } from '../../stores/parking.js';
import { digestOf, type Envelope, envelopeOf, searchable } from './encoding.js';
import { Gathered } from './gathered.js';

interface Row {
  readonly seq: string;
  readonly partition: number;
  readonly envelope: Envelope & { readonly position?: number };
  readonly body: Buffer;
  readonly received_at: Date;
  readonly attempts: number;
  readonly first_attempt_at: Date | null;
}

/** Whatever runs statements, e.g. a `DataSource`. */
export interface Queries {
  query<Result>(sql: string, parameters?: unknown[]): Promise<Result>;
}

/** How many may be parked without the rows being counted again. */
const stride = 500;

/** What one statement may park. */
const atOnce = { items: 200, bytes: 4 * 1024 * 1024 };

/** Parked messages in a table. */
export class DatabaseParkingLot implements ParkingLot {
  /** By group, how many more may be parked before the rows are counted. */
  private readonly allowance = new Map<string, number>();
  /** By group. Keys that wait get their messages one by one, many keys at a time. */
  private readonly parking = new Map<string, Gathered<ParkRequest>>();

  /** @param maxParked how many messages of a group may be parked; processes together may exceed it by 500 each */
  constructor(
    private readonly database: Queries,
    private readonly maxParked: number,
    private readonly table: string = 'messaging_parked',
  ) {}

  async keys(group: string, partitions: readonly Partition[], signal: AbortSignal): Promise<readonly ParkedKey[]> {
    signal.throwIfAborted();
    const rows = await this.database.query<(Row & { due_at: Date; messages: string })[]>(
      `SELECT DISTINCT ON (topic, partition, lane) partition, envelope, due_at,
              count(*) OVER (PARTITION BY topic, partition, lane) AS messages
       FROM ${this.table}
       WHERE "group" = $1 AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::integer[]))
       ORDER BY topic, partition, lane, seq`,
      [group, partitions.map(({ topic }) => topic), partitions.map(({ number }) => number)],
    );
    return rows.map(({ partition, envelope, due_at: dueAt, messages }) => ({
      topic: envelope.topic,
      partition,
      key: envelope.key!,
      dueAt: dueAt.getTime(),
      messages: Number(messages),
    }));
  }

  async park(group: string, requests: readonly ParkRequest[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.claim(group, requests.length);
    let parking = this.parking.get(group);
    if (!parking) {
      const insert = (all: readonly ParkRequest[]): Promise<unknown> => this.insert(group, all);
      this.parking.set(group, (parking = new Gathered(insert, ({ message }) => message.body.length, atOnce)));
    }
    await parking.add(requests);
  }

  async next(
    group: string,
    { topic, partition, key }: Omit<ParkedKey, 'dueAt' | 'messages'>,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly ParkedMessage[]> {
    signal.throwIfAborted();
    const rows = await this.database.query<Row[]>(
      `SELECT seq, partition, envelope, body, received_at, attempts, first_attempt_at FROM ${this.table}
       WHERE "group" = $1 AND topic = $2 AND partition = $3 AND lane = $4 ORDER BY seq LIMIT $5`,
      [group, topic, partition, digestOf(key), limit],
    );
    return rows.map(row => ({
      ...row.envelope,
      body: row.body,
      ticket: row.seq,
      group,
      partition: row.partition,
      time: row.received_at.getTime(),
      attempts: row.attempts,
      ...(row.first_attempt_at && { firstAttemptAt: row.first_attempt_at.getTime() }),
    }));
  }

  /** Nothing happens when another has tried it since: who did so has the partition now. */
  async postpone(
    { ticket, attempts: known, firstAttemptAt }: ParkedMessage,
    attempts: number,
    dueAt: number,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    await this.database.query(
      `UPDATE ${this.table} SET attempts = $3, due_at = $4, first_attempt_at = coalesce($5, first_attempt_at)
       WHERE seq = $1 AND attempts = $2`,
      [ticket, known, attempts, timestamp(dueAt), firstAttemptAt === undefined ? null : timestamp(firstAttemptAt)],
    );
  }

  /** Messages that another has tried since stay. */
  async remove(messages: readonly ParkedMessage[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.database.query(
      `DELETE FROM ${this.table} USING unnest($1::bigint[], $2::integer[]) AS given (ticket, known)
       WHERE seq = ticket AND attempts = known`,
      [messages.map(({ ticket }) => ticket), messages.map(({ attempts }) => attempts)],
    );
  }

  async size(
    group: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly keys: number; readonly messages: number }> {
    signal.throwIfAborted();
    const [row] = await this.database.query<{ keys: string; messages: string }[]>(
      `SELECT count(*) AS keys, coalesce(sum(messages), 0) AS messages FROM (
         SELECT count(*) AS messages FROM ${this.table} WHERE $1::text IS NULL OR "group" = $1
         GROUP BY "group", topic, partition, lane
       ) AS lanes`,
      [group ?? null],
    );
    return { keys: Number(row!.keys), messages: Number(row!.messages) };
  }

  private insert(group: string, requests: readonly ParkRequest[]): Promise<unknown> {
    const messages = requests.map(({ message }) => message);
    return this.database.query(
      `INSERT INTO ${this.table}
         ("group", topic, partition, lane, key, event, envelope, body, received_at, attempts, first_attempt_at, due_at, reason)
       SELECT $1, topic, partition, lane, key, event, envelope, body, received_at, attempts, first_attempt_at, due_at, reason
       FROM unnest($2::text[], $3::integer[], $4::bytea[], $5::text[], $6::bytea[], $7::json[], $8::bytea[], $9::timestamptz[],
              $10::integer[], $11::timestamptz[], $12::timestamptz[], $13::text[]) WITH ORDINALITY
         AS given (topic, partition, lane, key, event, envelope, body, received_at, attempts, first_attempt_at, due_at, reason, at)
       ORDER BY at
       ON CONFLICT ("group", event) DO NOTHING`,
      [
        group,
        messages.map(({ topic }) => topic),
        messages.map(({ partition }) => partition),
        messages.map(({ key }) => digestOf(key)),
        messages.map(({ key }) => searchable(key)),
        // An id is its source's own: two sources may give one id to two events.
        messages.map(({ topic, id, headers, body }) => digestOf(topic, headers.ce_source ?? '', id, body)),
        messages.map(message => envelopeOf(message, undefined, message.position)),
        messages.map(({ body }) => body),
        messages.map(({ time }) => timestamp(time)),
        requests.map(({ attempts }) => attempts),
        messages.map(({ firstAttemptAt }) => (firstAttemptAt === undefined ? null : timestamp(firstAttemptAt))),
        requests.map(({ dueAt }) => timestamp(dueAt)),
        requests.map(({ reason }) => searchable(reason)),
      ],
    );
  }

  /** @throws ParkingFullError when there is no room for so many */
  private async claim(group: string, messages: number): Promise<void> {
    const left = this.allowance.get(group) ?? 0;
    if (left >= messages) {
      this.allowance.set(group, left - messages);
      return;
    }
    const [row] = await this.database.query<{ count: string }[]>(
      `SELECT count(*) FROM (SELECT 1 FROM ${this.table} WHERE "group" = $1 LIMIT $2) AS parked`,
      [group, this.maxParked],
    );
    const room = this.maxParked - Number(row!.count);
    this.allowance.set(group, Math.min(stride, Math.max(0, room - messages)));
    if (room < messages) throw new ParkingFullError(group, Number(row!.count));
  }
}

/** The last moment of the year 9999, in milliseconds since 1970: what is later is written in a way that PostgreSQL does not read. */
const latest = 253_402_300_799_999;

/** What strangers take for a time must not keep a message out of the lot. */
const timestamp = (ms: number): string => new Date(Math.max(0, Math.min(ms, latest)) || 0).toISOString();
