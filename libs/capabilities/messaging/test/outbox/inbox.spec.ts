import { DataSource, Transactional, transactionsOf } from '@core-infra/database';
import { eventually, type HttpApp, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller, type Type } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { IsString } from 'class-validator';
import { BatchResult, EventBus, defineEvent, Idempotent, Subscribe } from '../../src/index.js';
import { DatabaseInbox } from '../../src/outbox/stores/database.inbox.js';
import { bootWithDatabase } from './support/boot-with-database.js';

class Order {
  @IsString() of!: string;
}
const placed = defineEvent('orders.placed', { schema: Order });
const event = (of: string, id: string) => placed.of({ of }, { id });
const postgres = usePostgres();
const quick = { firstDelayMs: 1, maxDelayMs: 5, attempts: 3 };

describe('inbox', () => {
  let app: HttpApp | undefined;
  let dataSource: DataSource;
  let inbox: DatabaseInbox;
  let group: string;

  const boot = async (...controllers: Type[]): Promise<EventBus> => {
    group = uniqueName('group');
    app = await bootWithDatabase({ url: postgres.url, controllers, messaging: { group, retry: quick } });
    dataSource = app.get(DataSource);
    inbox = new DatabaseInbox(dataSource);
    await dataSource.query('CREATE TABLE IF NOT EXISTS effects (of text NOT NULL)');
    await dataSource.query('TRUNCATE effects');
    return app.get(EventBus);
  };
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  const effect = (of: string): Promise<unknown> => dataSource.query('INSERT INTO effects VALUES ($1)', [of]);
  const effects = async (): Promise<string[]> =>
    (await dataSource.query<{ of: string }[]>('SELECT of FROM effects ORDER BY of')).map(({ of }) => of);
  const recorded = async (): Promise<number> => {
    const rows = await dataSource.query<unknown[]>('SELECT 1 FROM messaging_inbox WHERE "group" = $1', [group]);
    return rows.length;
  };

  it('has effects happen once though an event comes again', async () => {
    const seen: string[] = [];
    @Controller()
    class Handlers {
      @Subscribe(placed, { concurrency: 1 })
      async handle(@Payload() { of }: Order): Promise<void> {
        seen.push(of);
        await effect(of);
      }
    }
    const bus = await boot(Handlers);
    await bus.publish(event('a', '1'));
    await bus.publish(event('a', '1'));
    await bus.publish(event('b', '2'));
    await eventually(() => expect(seen).toEqual(['a', 'b']));
    await eventually(async () => expect(await recorded()).toBe(2));
    expect(await effects()).toEqual(['a', 'b']);
  });

  it('keeps nothing of an attempt that failed: neither its effects nor its record', async () => {
    let attempts = 0;
    @Controller()
    class Handlers {
      @Subscribe(placed)
      async handle(@Payload() { of }: Order): Promise<void> {
        await effect(of);
        attempts += 1;
        if (attempts === 1) throw new Error('after its effect');
      }
    }
    const bus = await boot(Handlers);
    await bus.publish(event('a', '1'));
    await eventually(async () => expect(await recorded()).toBe(1));
    expect([attempts, await effects()]).toEqual([2, ['a']]);
  });

  it('is in the transaction that a @Transactional() handler takes part in', async () => {
    @Controller()
    class Handlers {
      @Subscribe(placed)
      @Transactional()
      async handle(@Payload() { of }: Order): Promise<void> {
        await effect(of);
        expect(transactionsOf(dataSource).running).toBeDefined();
        const apart = dataSource.createQueryRunner();
        before = ((await apart.query('SELECT 1 FROM messaging_inbox WHERE "group" = $1', [group])) as unknown[]).length;
        await apart.release();
      }
    }
    let before: number | undefined;
    const bus = await boot(Handlers);
    await bus.publish(event('a', '1'));
    await eventually(async () => expect(await recorded()).toBe(1));
    expect(before).toBe(0);
  });

  it('records of a batch what did not fail', async () => {
    const batches: string[][] = [];
    @Controller()
    class Handlers {
      @Subscribe(placed, { batch: { size: 3, waitMs: 100 } })
      async handle(@Payload() orders: Order[]): Promise<BatchResult> {
        const ofs = orders.map(({ of }) => of);
        batches.push(ofs);
        const bad = batches.length === 1 ? ofs.indexOf('b') : -1;
        for (const [at, of] of ofs.entries()) if (at !== bad) await effect(of);
        return bad < 0 ? BatchResult.done : BatchResult.failed([[bad, new Error('no stock')]]);
      }
    }
    const bus = await boot(Handlers);
    await bus.publishBatch(['a', 'b', 'c'].map((of, at) => event(of, `${at}`)));
    await eventually(async () => expect(await recorded()).toBe(3));
    expect(batches).toEqual([['a', 'b', 'c'], ['b']]);
    expect(await effects()).toEqual(['a', 'b', 'c']);
  });

  it('is left out by @Idempotent(false), on which side of the pattern it may stand', async () => {
    const seen: string[] = [];
    @Controller()
    class Handlers {
      @Subscribe(placed, { group: 'above' })
      @Idempotent(false)
      above(): void {
        seen.push('above');
      }

      @Idempotent(false)
      @EventPattern('orders.placed')
      plain(_order: Order): void {
        seen.push('plain');
      }

      @Idempotent()
      @Subscribe(placed, { group: 'once' })
      once(): void {
        seen.push('once');
      }
    }
    const bus = await boot(Handlers);
    await bus.publish(event('a', '1'));
    await bus.publish(event('a', '1'));
    await eventually(() => expect(seen.toSorted()).toEqual(['above', 'above', 'once', 'plain', 'plain']));
  });

  /** Begins a second delivery while the first is under way, and waits until it waits. */
  const twice = async (end: Promise<readonly number[]>) => {
    await boot();
    const begun = Promise.withResolvers<void>();
    const first = inbox.once(group, ['x'], () => {
      begun.resolve();
      return end;
    });
    await begun.promise;
    let handled = 0;
    const second = inbox.once(group, ['x'], async () => {
      handled += 1;
      return [];
    });
    await eventually(async () => {
      const waiting = await dataSource.query<unknown[]>(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(1);
    });
    return { both: Promise.allSettled([first, second]), handled: () => handled };
  };

  it('lets a second delivery wait for the end of the first', async () => {
    const first = Promise.withResolvers<readonly number[]>();
    const { both, handled } = await twice(first.promise);
    first.resolve([]);
    expect(await both).toEqual([
      { status: 'fulfilled', value: [] },
      { status: 'fulfilled', value: [0] },
    ]);
    expect(handled()).toBe(0);
  });

  it('gives a second delivery its turn when the first fails', async () => {
    const first = Promise.withResolvers<readonly number[]>();
    const { both, handled } = await twice(first.promise);
    first.reject(new Error('no stock'));
    expect(await both).toEqual([
      { status: 'rejected', reason: new Error('no stock') },
      { status: 'fulfilled', value: [] },
    ]);
    expect([handled(), await recorded()]).toEqual([1, 1]);
  });

  it('takes batches that hold each other’s events, and one event twice', async () => {
    await boot();
    const ids = Array.from({ length: 200 }, (_, at) => `${at}`);
    const handled: string[] = [];
    const run = (own: readonly string[]): Promise<readonly number[]> =>
      inbox.once(group, own, async fresh => {
        handled.push(...fresh.map(at => own[at]!));
        return [];
      });
    await Promise.all([run(ids), run(ids.toReversed()), run(ids), run([...ids.slice(0, 3), ...ids.slice(0, 3)])]);
    expect(handled.toSorted()).toEqual(ids.toSorted());
    expect(await run([...ids, 'new', 'new'])).toEqual([...ids.keys(), 201]);
  });

  it('remembers for each group by itself', async () => {
    await boot();
    const id = '/orders#0193e0c7-6c4e-7a5b-8c3d-9e8f7a6b5c4d';
    const run = (of: string): Promise<readonly number[]> => inbox.once(of, [id], () => Promise.resolve([]));
    expect([await run(group), await run(group), await run(`${group}2`), await run(`${group}2`)]).toEqual([
      [],
      [0],
      [],
      [0],
    ]);
  });

  it('forgets what is older than its window, and nothing younger', async () => {
    await boot();
    await dataSource.query(
      `INSERT INTO messaging_inbox SELECT $1, sha256(convert_to($1 || at, 'UTF8')), now() - interval '1 day' * at FROM generate_series(1, 12) AS at`,
      [group],
    );
    await app!.close();
    app = await bootWithDatabase({ url: postgres.url });
    dataSource = app.get(DataSource);
    await eventually(async () => expect(await recorded()).toBe(6));
    const [row] = await dataSource.query<{ oldest: boolean }[]>(
      `SELECT min(handled_at) > now() - interval '7 days' AS oldest FROM messaging_inbox WHERE "group" = $1`,
      [group],
    );
    expect(row).toEqual({ oldest: true });
  });
});
