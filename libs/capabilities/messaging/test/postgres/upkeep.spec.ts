import { DatabaseModule, DataSource, transactionsOf } from '@core-infra/database';
import { type Operation, operations } from '@core-infra/kernel';
import { eventually, type HttpApp, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller, type Type } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { defineEvent, EventBus, MessagingHub, type MessagingOptions, Subscribe } from '../../src/index.js';
import { messagingMigrations, OutboxModule } from '../../src/outbox/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { Step, stepped } from './fixtures/steps.js';

const database = usePostgres();

function handlerOf(handled: Step[], gate: Promise<void> = Promise.resolve()): Type {
  @Controller()
  class Steps {
    @Subscribe(stepped)
    async handle(@Payload() step: Step): Promise<void> {
      await gate;
      handled.push(step);
    }
  }
  return Steps;
}

function boot(controllers: readonly Type[], options: MessagingOptions = {}): Promise<HttpApp> {
  return bootMessaging({
    controllers,
    imports: [DatabaseModule.forRoot({ dsn: database.url })],
    options: { driver: 'postgres', startup: 'require', group: uniqueName('group'), ...options },
  });
}

const troubles = (app: HttpApp): (string | undefined)[] =>
  [...app.get<MessagingHub>(MessagingHub as never, { strict: false }).members].map(
    ({ state }) => state.trouble?.message,
  );

describe('the driver postgres', () => {
  it('gets a message that was claimed in its name, while the answer was lost', async () => {
    const handled: Step[] = [];
    const group = uniqueName('group');
    await using app = await boot([handlerOf(handled)], { group, postgres: { pollMs: 50 } });
    const dataSource = app.get(DataSource);
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    await eventually(() => expect(handled).toHaveLength(1));
    await dataSource.query(
      `INSERT INTO pgboss.job (name, data, state, priority, group_id, expire_seconds, started_on)
       VALUES ($1, $2, 'active', 3, '3', 1000000, now())`,
      [
        `${group}/${stepped.type}`,
        {
          id: '1',
          topic: stepped.type,
          headers: {
            ce_specversion: '1.0',
            ce_id: '1',
            ce_source: '/',
            ce_type: stepped.type,
            'content-type': 'application/json',
          },
          body: '{"key":"lost","at":1}',
        },
      ],
    );
    await dataSource.query('ALTER TABLE pgboss.messaging_partition RENAME TO away');
    await eventually(() => expect(troubles(app)).toEqual([expect.stringContaining('messaging_partition')]));
    expect(handled).toHaveLength(1);
    await dataSource.query('ALTER TABLE pgboss.away RENAME TO messaging_partition');
    await eventually(() =>
      expect(handled).toEqual([
        { key: 'a', at: 0 },
        { key: 'lost', at: 1 },
      ]),
    );
    await eventually(() => expect(troubles(app)).toEqual([undefined]));
  });

  it('makes a dead letter of what somebody else has put into its queue', async () => {
    const handled: Step[] = [];
    const group = uniqueName('group');
    await using app = await boot([handlerOf(handled)], { group, postgres: { pollMs: 50, listen: false } });
    await app
      .get(DataSource)
      .query('INSERT INTO pgboss.job (name, data) VALUES ($1, $2)', [`${group}/${stepped.type}`, '"a text"']);
    const { deadLetters } = app.get<MessagingHub>(MessagingHub as never, { strict: false });
    const signal = AbortSignal.timeout(10_000);
    await eventually(async () =>
      expect(await deadLetters.list({ group }, { limit: 2 }, signal)).toMatchObject([
        { reason: 'undecodable', message: { headers: {}, body: Buffer.from('"a text"') } },
      ]),
    );
    expect(handled).toEqual([]);
  });

  it('publishes outside of a running transaction, where no outbox is', async () => {
    const handled: Step[] = [];
    await using app = await boot([handlerOf(handled)]);
    const rolledBack = transactionsOf(app.get(DataSource)).run(async () => {
      await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    await eventually(() => expect(handled).toEqual([{ key: 'a', at: 0 }]));
  });

  it('gives a group that comes back what was published meanwhile, and tells how much waits', async () => {
    const handled: Step[] = [];
    const group = uniqueName('group');
    await (await boot([handlerOf(handled)], { group })).close();
    await using app = await boot([]);
    const bus = app.get(EventBus);
    await bus.publishBatch([0, 1, 2].map(at => stepped.of({ key: 'a', at })));
    await bus.schedule(stepped.of({ key: 'later', at: 0 }), new Date(Date.now() + 600_000));
    let go = (): void => undefined;
    const gate = new Promise<void>(resolve => (go = resolve));
    await using back = await boot([handlerOf(handled, gate)], { group });
    const [member] = back.get<MessagingHub>(MessagingHub as never, { strict: false }).members;
    const backlog = () => member!.backlog(AbortSignal.timeout(5_000));
    expect(await backlog()).toEqual([{ topic: stepped.type, messages: 3, oldestMs: expect.any(Number) }]);
    go();
    await eventually(() => expect(handled.map(({ at }) => at)).toEqual([0, 1, 2]));
    await eventually(async () => expect(await backlog()).toEqual([{ topic: stepped.type, messages: 0 }]));
  });

  it('works without NOTIFY, by polling', async () => {
    const handled: Step[] = [];
    const group = uniqueName('group');
    const postgres = { listen: false, pollMs: 50 };
    await using publisher = await boot([], { group, postgres });
    await using _ = await boot([handlerOf(handled)], { group, postgres });
    await publisher.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    await eventually(() => expect(handled).toEqual([{ key: 'a', at: 0 }]));
  });

  it('is part of a transaction where an outbox is', async () => {
    const handled: Step[] = [];
    await using app = await bootMessaging({
      controllers: [handlerOf(handled)],
      imports: [
        DatabaseModule.forRoot({ dsn: database.url, migrations: { classes: messagingMigrations, atBoot: true } }),
        OutboxModule.forRoot(),
      ],
      options: { driver: 'postgres', startup: 'require', group: uniqueName('group') },
    });
    const bus = app.get(EventBus);
    const transactions = transactionsOf(app.get(DataSource));
    const rolledBack = transactions.run(async () => {
      await bus.publish(stepped.of({ key: 'a', at: 7 }));
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    await transactions.run(() => bus.publishBatch([0, 1, 2].map(at => stepped.of({ key: 'a', at }))));
    await eventually(() => expect(handled.map(({ at }) => at)).toEqual([0, 1, 2]));
  });

  it('says what is missing where it is not to make its schema', async () => {
    const booted = boot([], { postgres: { schema: 'nowhere', migrate: false } });
    await expect(booted).rejects.toThrow(/The schema "nowhere" of pg-boss.*is not in the database/);
    await (await boot([], { postgres: { schema: 'made_before' } })).close();
    const handled: Step[] = [];
    await using app = await boot([handlerOf(handled)], { postgres: { schema: 'made_before', migrate: false } });
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    await eventually(() => expect(handled).toHaveLength(1));
  });

  it('says which right is missing where it may not make its schema', async () => {
    const role = uniqueName('role').replaceAll('-', '_');
    await using admin = await boot([]);
    await admin.get(DataSource).query(`CREATE ROLE "${role}" LOGIN PASSWORD 'none'`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'none';
    const booted = bootMessaging({
      imports: [DatabaseModule.forRoot({ dsn: url.href, pool: { max: 1 } })],
      options: { driver: 'postgres', startup: 'require', postgres: { schema: 'forbidden' } },
    });
    await expect(booted).rejects.toThrow(/may not make or use the schema "forbidden": permission denied/);
    await admin.get(DataSource).query(`DROP ROLE "${role}"`);
  });

  it('makes queues anew that somebody has deleted, of groups and of tasks', async () => {
    const handled: Step[] = [];
    const group = uniqueName('group');
    const work = defineEvent(`work.${group}`, { schema: Step });
    await using app = await boot([handlerOf(handled)], { group, postgres: { leaseMs: 1_000 } });
    const bus = app.get(EventBus);
    const dataSource = app.get(DataSource);
    await bus.send(work.of({ key: 'a', at: 0 }));
    for (const name of [`${group}/${stepped.type}`, `${work.type}/${work.type}`])
      await dataSource.query('SELECT pgboss.delete_queue($1)', [name]);
    await bus.send(work.of({ key: 'a', at: 1 }));
    expect(
      await dataSource.query('SELECT 1 FROM pgboss.job WHERE name = $1', [`${work.type}/${work.type}`]),
    ).toHaveLength(1);
    await eventually(async () =>
      expect(
        await dataSource.query('SELECT 1 FROM pgboss.subscription WHERE name LIKE $1', [`${group}/%`]),
      ).toHaveLength(1),
    );
    await bus.publish(stepped.of({ key: 'a', at: 2 }));
    await eventually(() => expect(handled).toEqual([{ key: 'a', at: 2 }]));
  });

  it('asks the database for little while nothing happens, and says how much', async () => {
    const handled: Step[] = [];
    await using app = await boot([handlerOf(handled)]);
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    await eventually(() => expect(handled).toHaveLength(1));
    const seen: string[] = [];
    const note = (operation: Operation): void => void seen.push(`${operation.operation} ${operation.resource ?? ''}`);
    const nothing = (): void => undefined;
    const subscriber = { start: note, end: nothing, asyncStart: nothing, asyncEnd: nothing, error: nothing };
    operations('database').subscribe(subscriber);
    await new Promise(resolve => setTimeout(resolve, 10_000));
    operations('database').unsubscribe(subscriber);
    process.stdout.write(`${seen.length} statements in 10 s with nothing to do\n`);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length).toBeLessThanOrEqual(20);
  });
});
