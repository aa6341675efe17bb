import { type DataSource, transactionsOf } from '@core-infra/database';
import type { OutgoingMessage } from '../driver/message.js';
import type { Outbox } from '../stores/outbox.js';
import { bucketOf, BUCKETS } from './buckets.js';

export const CHANNEL = 'messaging_outbox';

const columns = 'bucket, id, kind, topic, key, headers, body';
const arrays = '$1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[]';
/** Tells the relays at the commit, without a round trip of its own. */
const told = `CROSS JOIN (SELECT pg_notify('${CHANNEL}', '')) AS told`;

/** Writes events into a table, in the transaction that runs. */
export class DatabaseOutbox implements Outbox {
  /**
   * @param committed is called after the commit of a transaction that has written something
   * @param notifies whether relays of other processes are told by NOTIFY
   */
  constructor(
    private readonly dataSource: DataSource,
    private readonly committed: () => void,
    private readonly notifies: boolean,
  ) {}

  get isInTransaction(): boolean {
    return transactionsOf(this.dataSource).running !== undefined;
  }

  async write(messages: readonly OutgoingMessage[]): Promise<void> {
    const transactions = transactionsOf(this.dataSource);
    const manager = transactions.running;
    if (!manager) return transactions.run(() => this.write(messages));
    const now = messages.filter(({ notBefore }) => notBefore === undefined);
    const later = messages.filter(({ notBefore }) => notBefore !== undefined);
    const source = (more: string): string =>
      `SELECT rows.* FROM unnest(${arrays}${more}) AS rows ${this.notifies ? told : ''}`;
    if (now.length > 0)
      await manager.query(`INSERT INTO messaging_outbox (${columns}) ${source('')}`, parametersOf(now));
    if (later.length > 0)
      await manager.query(`INSERT INTO messaging_scheduled (${columns}, due_at) ${source(', $8::timestamptz[]')}`, [
        ...parametersOf(later),
        later.map(({ notBefore }) => new Date(notBefore!).toISOString()),
      ]);
    transactions.onCommit(this.committed);
  }
}

function parametersOf(messages: readonly OutgoingMessage[]): unknown[] {
  return [
    messages.map(({ key }) => (key === undefined ? Math.floor(Math.random() * BUCKETS) : bucketOf(key))),
    messages.map(({ id }) => id),
    messages.map(({ kind }) => kind),
    messages.map(({ topic }) => topic),
    messages.map(({ key }) => key ?? null),
    messages.map(({ headers }) => JSON.stringify(headers)),
    messages.map(({ body }) => body),
  ];
}
