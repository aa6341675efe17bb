import { DatabaseModule, DataSource, transactionsOf } from '@core-infra/database';
import { eventually, type HttpApp, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { defineEvent, EventBus, type MessagingOptions, Subscribe } from '../../src/index.js';
import { messagingMigrations, OutboxModule, type OutboxOptions } from '../../src/outbox/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

class Order {
  @IsString() id!: string;
  @IsInt() at!: number;
}
const placed = defineEvent('orders.placed', { schema: Order, key: ({ id }) => id });

const postgres = usePostgres();

function bootOutbox(
  seen: string[],
  { outbox = {}, messaging = {} }: { outbox?: OutboxOptions; messaging?: MessagingOptions } = {},
): Promise<HttpApp> {
  @Controller()
  class Handlers {
    @Subscribe(placed)
    handle(@Payload() { id, at }: Order): void {
      seen.push(`${id}${at}`);
    }
  }
  return bootMessaging({
    controllers: [Handlers],
    imports: [
      DatabaseModule.forRoot({ dsn: postgres.url, migrations: { classes: messagingMigrations, atBoot: true } }),
      OutboxModule.forRoot(outbox),
    ],
    options: { group: uniqueName('group'), ...messaging },
  });
}

describe('outbox', () => {
  it('delivers what a transaction published once it has committed, and nothing of one that rolled back', async () => {
    const seen: string[] = [];
    await using app = await bootOutbox(seen);
    const bus = app.get(EventBus);
    const dataSource = app.get(DataSource);
    const transactions = transactionsOf(dataSource);
    await transactions.run(async () => {
      await bus.publish(placed.of({ id: 'a', at: 1 }));
      await bus.publishBatch([placed.of({ id: 'a', at: 2 }), placed.of({ id: 'b', at: 1 })]);
      const rows = await dataSource.query('SELECT id FROM messaging_outbox');
      expect([rows.length, seen]).toEqual([3, []]);
    });
    const broken = transactions.run(async () => {
      await bus.publish(placed.of({ id: 'c', at: 1 }));
      throw new Error('rolled back');
    });
    await expect(broken).rejects.toThrow('rolled back');
    await eventually(() => expect(seen.toSorted()).toEqual(['a1', 'a2', 'b1']));
    expect(seen.indexOf('a1')).toBeLessThan(seen.indexOf('a2'));
    await eventually(async () => expect(await dataSource.query('SELECT 1 FROM messaging_outbox')).toEqual([]));
  });

  it('relays thousands in order per key', async () => {
    const seen: string[] = [];
    await using app = await bootOutbox(seen, { outbox: { batchSize: 200 } });
    const bus = app.get(EventBus);
    const transactions = transactionsOf(app.get(DataSource));
    for (let from = 0; from < 3_000; from += 500)
      await transactions.run(() =>
        bus.publishBatch(
          Array.from({ length: 500 }, (_, at) => placed.of({ id: `k${(from + at) % 7}-`, at: from + at })),
        ),
      );
    await eventually(() => expect(seen).toHaveLength(3_000), { timeoutMs: 20_000 });
    for (let key = 0; key < 7; key += 1) {
      const ats = seen.filter(text => text.startsWith(`k${key}-`)).map(text => Number(text.split('-')[1]));
      expect(ats).toEqual(ats.toSorted((a, b) => a - b));
    }
  });

  it('keeps a scheduled event till its time', async () => {
    const seen: string[] = [];
    await using app = await bootOutbox(seen);
    const due = Date.now() + 700;
    await transactionsOf(app.get(DataSource)).run(() =>
      app.get(EventBus).schedule(placed.of({ id: 'a', at: 1 }), new Date(due)),
    );
    await eventually(() => expect(seen).toEqual(['a1']));
    expect(Date.now()).toBeGreaterThanOrEqual(due);
  });

  it.each([
    ['its time is over', 'INFRA_PUBLISH_TIMEOUT'],
    ['its signal aborts', 'SPEC_ABORTED'],
  ])(
    'gives up writing an event when %s, and leaves a transaction that can be rolled back at once',
    async (how, code) => {
      const seen: string[] = [];
      await using app = await bootOutbox(seen, { outbox: { relay: false } });
      const bus = app.get(EventBus);
      const dataSource = app.get(DataSource);
      const transactions = transactionsOf(dataSource);
      const locker = dataSource.createQueryRunner();
      await locker.startTransaction();
      await locker.query('LOCK TABLE messaging_outbox IN ACCESS EXCLUSIVE MODE');
      const caller = new AbortController();
      const options = code === 'SPEC_ABORTED' ? { signal: caller.signal } : { timeoutMs: 200 };
      let published: unknown;
      const transaction = transactions.run(async () => {
        await dataSource.query('SELECT 1');
        const publishing = bus.publish(placed.of({ id: 'a', at: 1 }), options);
        if (code === 'SPEC_ABORTED')
          await eventually(async () => {
            const waiting = await locker.query(
              `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'messaging_outbox'::regclass`,
            );
            expect(waiting).toHaveLength(1);
          }).then(() => caller.abort(Object.assign(new Error('enough'), { code })));
        await publishing.catch((error: unknown) => {
          published = error;
          throw error;
        });
      });
      // While the lock is held.
      await expect(transaction).rejects.toMatchObject({ code });
      expect([how, published]).toMatchObject([how, { code }]);
      await locker.commitTransaction();
      await locker.release();
      expect(await dataSource.query('SELECT 1 FROM messaging_outbox')).toEqual([]);
      await transactions.run(() => bus.publish(placed.of({ id: 'a', at: 2 }), { timeoutMs: 5_000 }));
      expect(await dataSource.query('SELECT 1 FROM messaging_outbox')).toHaveLength(1);
      await dataSource.query('TRUNCATE messaging_outbox');
    },
  );
});
