import { type DataSource, transactionsOf } from '@core-infra/database';
import type { Inbox } from '../../stores/inbox.js';
import { digestOf } from './encoding.js';

/** Records what a group has handled in the transaction in which it is handled. */
export class DatabaseInbox implements Inbox {
  readonly isTransactional = true;

  constructor(private readonly dataSource: DataSource) {}

  once(
    group: string,
    ids: readonly string[],
    work: (fresh: readonly number[]) => Promise<readonly number[]>,
  ): Promise<readonly number[]> {
    const transactions = transactionsOf(this.dataSource);
    const events = ids.map(id => digestOf(id));
    // Its own, whatever runs where the message was handed over.
    return transactions.run({ propagation: 'requires-new' }, async () => {
      const manager = transactions.running!;
      // A second delivery waits here for the end of the first; in one order for all, so that batches never wait for each other.
      const recorded = await manager.query<{ event: Buffer }[]>(
        `INSERT INTO messaging_inbox ("group", event)
         SELECT DISTINCT $1, event FROM unnest($2::bytea[]) AS given (event) ORDER BY event
         ON CONFLICT DO NOTHING RETURNING event`,
        [group, events],
      );
      const isNew = new Set(recorded.map(({ event }) => event.toString('base64')));
      const fresh: number[] = [];
      const repeated: number[] = [];
      // Of an event that is twice in a batch, the first is handled.
      for (const [at, event] of events.entries()) (isNew.delete(event.toString('base64')) ? fresh : repeated).push(at);
      const failed = fresh.length > 0 ? await work(fresh) : [];
      if (failed.length > 0)
        await manager.query('DELETE FROM messaging_inbox WHERE "group" = $1 AND event = ANY($2::bytea[])', [
          group,
          failed.map(at => events[at]),
        ]);
      return repeated;
    });
  }
}
