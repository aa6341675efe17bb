import { eventually, usePostgres } from '@core-infra/testing';
import { promoteDue } from '../../src/outbox/relay/outbox-rows.js';
import { bootRelay, messagesOf } from './support/boot-relay.js';

const postgres = usePostgres();

describe('events that are scheduled, with several relays', () => {
  it('come into the outbox in their order, though one relay is slow with the first', async () => {
    await using relay = await bootRelay(await postgres.createDatabase(), messages =>
      Promise.resolve(messages.map(() => undefined)),
    );
    const { dataSource, outbox } = relay;
    const past = Date.now() - 10_000;
    await outbox.write(messagesOf(3, 1).map((message, at) => ({ ...message, notBefore: past + at })));

    const slow = dataSource.createQueryRunner();
    await slow.startTransaction();
    const columns = 'bucket, id, kind, topic, key, headers, body';
    await slow.query(
      `CREATE TEMPORARY TABLE moved AS SELECT ${columns} FROM messaging_scheduled ORDER BY due_at LIMIT 1;
       DELETE FROM messaging_scheduled WHERE seq = (SELECT seq FROM messaging_scheduled ORDER BY due_at LIMIT 1)`,
    );
    let isDone = false;
    const promoted = promoteDue(dataSource, 10).then(() => (isDone = true));
    await eventually(async () => {
      const [row] = await dataSource.query<{ waiting: number }[]>(
        `SELECT count(*)::integer AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(isDone || row!.waiting === 1).toBe(true);
    });
    await slow.query(`INSERT INTO messaging_outbox (${columns}) SELECT ${columns} FROM moved`);
    await slow.commitTransaction();
    await slow.release();
    await promoted;

    const rows = await dataSource.query<{ body: Buffer }[]>('SELECT body FROM messaging_outbox ORDER BY seq');
    expect(rows.map(({ body }) => body.toString())).toEqual(['0', '1', '2']);
    expect(await dataSource.query('SELECT FROM messaging_scheduled')).toEqual([]);
  });
});
