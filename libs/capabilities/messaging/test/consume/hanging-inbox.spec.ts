import { DataSource, poolStats } from '@core-infra/database';
import { eventually, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { setTimeout as sleep } from 'node:timers/promises';
import { hubOf } from '../../src/bus/open-bus.js';
import { defineEvent, EventBus, Subscribe } from '../../src/index.js';
import { bootWithDatabase } from '../outbox/support/boot-with-database.js';

class Order {
  @IsString() id!: string;
  @IsInt() at!: number;
}
const placed = defineEvent('orders.placed', { schema: Order, key: ({ id }) => id });
const postgres = usePostgres();

describe('a handler that hangs in the transaction of its inbox', () => {
  it('gives its connection back when its time is over, however often it is tried', async () => {
    const seen: string[] = [];
    let tries = 0;
    @Controller()
    class Handlers {
      @Subscribe(placed, { concurrency: 2, timeoutMs: 50 })
      handle(@Payload() { id }: Order): Promise<void> | void {
        if (id !== 'poison') return void seen.push(id);
        tries += 1;
        return new Promise(() => undefined);
      }
    }
    const group = uniqueName('group');
    const retry = { firstDelayMs: 1, maxDelayMs: 1, attempts: 14 };
    await using app = await bootWithDatabase({
      url: postgres.url,
      controllers: [Handlers],
      messaging: { group, retry, shutdownTimeoutMs: 500 },
    });
    const bus = app.get(EventBus);
    await bus.publish(placed.of({ id: 'poison', at: 0 }));
    // More attempts than the pool has connections.
    await eventually(() => expect(tries).toBe(14));
    const { deadLetters } = hubOf(bus);
    const signal = AbortSignal.timeout(30_000);
    await eventually(async () =>
      expect(await deadLetters.list({ group }, { limit: 9 }, signal)).toMatchObject([
        { attempts: 14, error: { code: 'INFRA_HANDLER_TIMEOUT' } },
      ]),
    );
    await bus.publish(placed.of({ id: 'good', at: 0 }));
    await eventually(() => expect(seen).toEqual(['good']));
    const open = `SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`;
    await eventually(async () => expect(await app.get(DataSource).query(open)).toEqual([{ open: 0 }]));
  });
});

describe('poison that hangs in all places of a handler with an inbox, as all is by default', () => {
  const boot = async (poison: number) => {
    const over = Promise.withResolvers<void>();
    let hanging = 0;
    const good: string[] = [];
    @Controller()
    class Handlers {
      @Subscribe(placed)
      handle(@Payload() { id }: Order): Promise<void> | void {
        if (!id.startsWith('poison')) return void good.push(id);
        hanging += 1;
        return over.promise;
      }
    }
    const app = await bootWithDatabase({
      url: postgres.url,
      controllers: [Handlers],
      messaging: { group: uniqueName('group') },
    });
    const publish = (what: string, count: number): Promise<void> =>
      app.get(EventBus).publishBatch(Array.from({ length: count }, (_, n) => placed.of({ id: `${what}${n}`, at: 0 })));
    await publish('poison', poison);
    return {
      good,
      publish,
      hanging: () => hanging,
      dataSource: app.get(DataSource),
      end: () => over.resolve(),
      [Symbol.asyncDispose]: async () => {
        over.resolve();
        await app.close();
      },
    };
  };

  it('leaves the other keys a connection of the pool', async () => {
    await using app = await boot(8);
    await eventually(() => expect(app.hanging()).toBe(8));
    await app.publish('good', 20);
    await eventually(() => expect(app.good).toHaveLength(20));
    expect(app.hanging()).toBe(8);
  });

  it('leaves the rest of the app one too, however much of it there is', async () => {
    await using app = await boot(30);
    await eventually(() => expect(app.hanging()).toBe(9));
    for (let at = 0; at < 25; at += 1) {
      expect(await app.dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await sleep(10); // in which more would have begun
    }
    expect(app.hanging()).toBe(9);
    await eventually(() => expect(poolStats(app.dataSource)).toMatchObject({ active: 9, max: 10, waiting: 0 }));
    app.end();
    await eventually(() => expect(app.hanging()).toBe(30));
  });
});
