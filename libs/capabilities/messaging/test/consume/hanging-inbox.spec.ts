import { DataSource } from '@core-infra/database';
import { eventually, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
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
