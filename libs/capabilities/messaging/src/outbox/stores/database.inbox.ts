import { type DataSource, type EntityManager, poolStats, transactionsOf } from '@core-infra/database';
import type { Inbox } from '../../stores/inbox.js';
import { eventBytes, eventsOf } from './inbox.events.js';

/** The events that a parameter holds, one behind the other. */
const given = (parameter: string): string =>
  `SELECT substring(${parameter}::bytea FROM at FOR ${eventBytes}) AS event FROM generate_series(1, octet_length(${parameter}::bytea), ${eventBytes}) AS at`;

const insertion = `INSERT INTO messaging_inbox ("group", event) SELECT $1, event FROM (${given('$2')}) AS given ORDER BY event ON CONFLICT DO NOTHING`;
// An array, as what a planner makes of a subquery depends on what it believes of the table.
const known = `SELECT event FROM messaging_inbox WHERE event = ANY (ARRAY(${given('$1')})) AND xmin <> pg_current_xact_id()::xid`;
const deletion = `DELETE FROM messaging_inbox WHERE event = ANY (ARRAY(${given('$1')}))`;

/** Records what a group has handled in the transaction in which it is handled. */
export class DatabaseInbox implements Inbox {
  readonly isTransactional = true;
  /** Have asked for a connection, and have none yet. */
  private asking = 0;

  constructor(private readonly dataSource: DataSource) {}

  /** The last connection is never for an attempt that makes up for others: requests, parked keys and dead letters need one too. */
  hasRoom(): boolean {
    const { active, max } = poolStats(this.dataSource);
    return max - active - this.asking > 1;
  }

  once(
    group: string,
    ids: readonly string[],
    work: (fresh: readonly number[]) => Promise<readonly number[]>,
  ): Promise<readonly number[]> {
    const transactions = transactionsOf(this.dataSource);
    const events = eventsOf(group, ids);
    let isAsking = true;
    const answered = (): void => {
      if (isAsking) this.asking -= 1;
      isAsking = false;
    };
    this.asking += 1;
    // Its own, whatever runs where the message was handed over.
    const running = transactions.run({ propagation: 'requires-new' }, async () => {
      answered();
      const manager = transactions.running!;
      // A second delivery waits here for the end of the first.
      const { fresh, repeated } = sorted(events, await record(manager, group, [...new Set(events)]));
      const failed = fresh.length > 0 ? await work(fresh) : [];
      if (failed.length > 0) await manager.query(deletion, [bytesOf(failed.map(at => events[at]!))]);
      return repeated;
    });
    return running.finally(answered);
  }
}

const bytesOf = (events: readonly string[]): Buffer => Buffer.from(events.join(''), 'latin1');

/**
 * Records those that are not. The events go there in one piece, and nothing comes back but their number: to write and to read them one by one is most of
 * what an inbox costs. In one order for all, so that batches never wait for each other.
 * @returns those that were recorded before
 */
async function record(manager: EntityManager, group: string, events: readonly string[]): Promise<ReadonlySet<string>> {
  const { affected } = await manager.queryRunner!.query(insertion, [group, bytesOf(events)], true);
  if (affected === events.length) return new Set();
  const rows = await manager.query<{ event: Buffer }[]>(known, [bytesOf(events)]);
  return new Set(rows.map(({ event }) => event.toString('latin1')));
}

/** Which places are to be handled; of an event that is twice in a batch, the first is. */
function sorted(
  events: readonly string[],
  known: ReadonlySet<string>,
): { readonly fresh: readonly number[]; readonly repeated: readonly number[] } {
  const before = new Set(known);
  const fresh: number[] = [];
  const repeated: number[] = [];
  for (const [at, event] of events.entries()) {
    (before.has(event) ? repeated : fresh).push(at);
    before.add(event);
  }
  return { fresh, repeated };
}
