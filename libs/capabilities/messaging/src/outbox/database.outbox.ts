import { cancelStatementOf, type DataSource, type EntityManager, transactionsOf } from '@core-infra/database';
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

  async write(messages: readonly OutgoingMessage[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const transactions = transactionsOf(this.dataSource);
    const manager = transactions.running;
    if (!manager) return transactions.run(() => this.write(messages, signal));
    await (signal
      ? cancellable(manager, signal, () => this.insert(manager, messages))
      : this.insert(manager, messages));
    transactions.onCommit(this.committed);
  }

  private async insert(manager: EntityManager, messages: readonly OutgoingMessage[]): Promise<void> {
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
  }
}

/** How long the server may take to cancel a statement, in milliseconds, before it is waited for no longer. */
const cancelGraceMs = 2_000;

/** Runs statements of a transaction; when the signal aborts, the one that runs is cancelled, so that the transaction can be rolled back at once. */
async function cancellable(manager: EntityManager, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  let cancelled: Promise<void> | undefined;
  let late: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const given = new Promise<never>((_resolve, reject) => {
    abort = () => {
      cancelled = cancelStatementOf(manager);
      late = setTimeout(() => reject(signal.reason as Error), cancelGraceMs);
    };
  });
  signal.addEventListener('abort', abort!, { once: true });
  try {
    await Promise.race([work(), given]);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort!);
    clearTimeout(late);
    await cancelled;
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
