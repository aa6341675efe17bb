import { DataSource } from '@core-infra/database';
import { eventually, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller, type Type } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { defineEvent, EventBus, MessagingHub, type ParkingLot, type ParkRequest, Subscribe } from '../../src/index.js';
import { DatabaseParkingLot } from '../../src/outbox/stores/database.parking-lot.js';
import { bootWithDatabase } from './support/boot-with-database.js';

class Order {
  @IsString() key!: string;
  @IsInt() at!: number;
}
const placed = defineEvent('orders.placed', { schema: Order, key: ({ key }) => key });
const postgres = usePostgres();
const signal = new AbortController().signal;

const requestOf = (key: string, id: string, given: Partial<ParkRequest> = {}): ParkRequest => ({
  message: {
    id,
    topic: 'orders',
    key,
    headers: { h: id },
    body: Buffer.from(id),
    partition: 2,
    position: 5,
    time: 1_000,
    attempts: 0,
  },
  attempts: 0,
  dueAt: 0,
  reason: '',
  ...given,
});

describe('parking lot in the database', () => {
  const partition = 2;
  const open = async (max = 1_000) => {
    const app = await bootWithDatabase({ url: postgres.url });
    const lot = new DatabaseParkingLot(app.get(DataSource), max);
    const group = uniqueName('group');
    const ids = async (key: string, of: ParkingLot = lot): Promise<string[]> =>
      (await of.next(group, { topic: 'orders', partition, key }, 100, signal)).map(({ id }) => id);
    return { lot, group, ids, dataSource: app.get(DataSource), [Symbol.asyncDispose]: () => app.close() };
  };

  it('keeps messages of a key in order, each once, with everything that is in them', async () => {
    await using at = await open();
    const { lot, group } = at;
    const hostile = 'k\0' + '\u{1F4A9}'.repeat(5_000);
    await lot.park(
      group,
      [requestOf(hostile, 'a', { attempts: 1, dueAt: 7_000.4, reason: 'no\0stock' }), requestOf(hostile, 'b')],
      signal,
    );
    await lot.park(group, [requestOf(hostile, 'b'), requestOf('other', 'x'), requestOf(hostile, 'c')], signal);
    await lot.park(uniqueName('group'), [requestOf(hostile, 'a')], signal);
    expect(await at.ids(hostile)).toEqual(['a', 'b', 'c']);
    const [first] = await lot.next(group, { topic: 'orders', partition, key: hostile }, 1, signal);
    expect(first).toEqual({
      id: 'a',
      topic: 'orders',
      key: hostile,
      headers: { h: 'a' },
      body: Buffer.from('a'),
      ticket: expect.stringMatching(/^\d+$/),
      group,
      partition,
      position: 5,
      time: 1_000,
      attempts: 1,
    });
    const keys = await lot.keys(
      group,
      [
        { topic: 'orders', number: partition },
        { topic: 'x', number: 0 },
      ],
      signal,
    );
    expect(keys.toSorted((one, two) => one.messages - two.messages)).toEqual([
      { topic: 'orders', partition, key: 'other', dueAt: 0, messages: 1 },
      { topic: 'orders', partition, key: hostile, dueAt: 7_000, messages: 3 },
    ]);
    expect(
      await lot.keys(
        group,
        [
          { topic: 'orders', number: 1 },
          { topic: 'x', number: 2 },
        ],
        signal,
      ),
    ).toEqual([]);
    expect(await lot.size(group, signal)).toEqual({ keys: 2, messages: 4 });
    expect((await lot.size(undefined, signal)).keys).toBeGreaterThanOrEqual(3);
  });

  it('keeps both of two events to which their sources have given one id', async () => {
    await using at = await open();
    const { lot, group } = at;
    const from = (source: string): ParkRequest => {
      const request = requestOf('k', '1');
      return { ...request, message: { ...request.message, headers: { ce_source: source } } };
    };
    await lot.park(group, [from('/a'), from('/b'), from('/a')], signal);
    expect(await at.ids('k')).toEqual(['1', '1']);
  });

  it('heeds nobody who had the partition before', async () => {
    await using at = await open();
    const { lot, group } = at;
    await lot.park(group, [requestOf('k', 'a', { attempts: 1 }), requestOf('k', 'b')], signal);
    const old = await lot.next(group, { topic: 'orders', partition, key: 'k' }, 10, signal);
    await lot.postpone({ ...old[0]!, firstAttemptAt: 4_000 }, 2, 9_000, signal);
    await lot.postpone(old[0]!, 2, 99_000, signal);
    await lot.remove([old[0]!], signal);
    expect(await at.ids('k')).toEqual(['a', 'b']);
    const [now] = await lot.next(group, { topic: 'orders', partition, key: 'k' }, 10, signal);
    expect(now).toMatchObject({ attempts: 2, firstAttemptAt: 4_000 });
    expect(await lot.keys(group, [{ topic: 'orders', number: partition }], signal)).toMatchObject([{ dueAt: 9_000 }]);
    await lot.remove([now!, old[1]!], signal);
    expect(await at.ids('k')).toEqual([]);
  });

  it('takes messages whose time makes no sense', async () => {
    await using at = await open();
    const { lot, group } = at;
    const times = [Number.NaN, -1, 1_700_000_000_000_000, 1e300];
    const requests = times.map((time, n) => {
      const request = requestOf('k', String(n));
      return { ...request, message: { ...request.message, time } };
    });
    await lot.park(group, requests, signal);
    const found = await lot.next(group, { topic: 'orders', partition, key: 'k' }, 9, signal);
    expect(found.map(({ time }) => time)).toEqual([0, 0, 253_402_300_799_999, 253_402_300_799_999]);
  });

  it('refuses more than its bound, of that group alone, and takes more once there is room', async () => {
    await using at = await open(100);
    const { lot, group } = at;
    const some = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => requestOf('k', `${from + n}`));
    await lot.park(group, some(0, 60), signal);
    await lot.park(group, some(60, 40), signal);
    await expect(lot.park(group, some(100, 1), signal)).rejects.toMatchObject({ code: 'INFRA_PARKING_FULL' });
    await lot.park(uniqueName('group'), some(0, 100), signal);
    await lot.remove(await lot.next(group, { topic: 'orders', partition, key: 'k' }, 1, signal), signal);
    await lot.park(group, some(100, 1), signal);
    expect((await lot.size(group, signal)).messages).toBe(100);
  });
});

describe('keys that fail', () => {
  const handlers = (handle: (order: Order) => void | Promise<void>, given = {}): Type => {
    @Controller()
    class Handlers {
      @Subscribe(placed, { concurrency: 8, ...given })
      handle(@Payload() order: Order): void | Promise<void> {
        return handle(order);
      }
    }
    return Handlers;
  };
  /** Pauses are drawn evenly from 0, so the first second is passed by what is nearly always longer. */
  const slow = { firstDelayMs: 3_000_000, maxDelayMs: 3_000_000, attempts: 10 };

  it('do not hold up others, eight at once with a concurrency of eight', async () => {
    const group = uniqueName('group');
    const seen = new Map<string, number[]>();
    const tried = new Set<string>();
    const Handlers = handlers(
      async ({ key, at }) => {
        tried.add(key);
        if (key.startsWith('poison')) {
          // They throw, and they hang until their time is over.
          if (key.endsWith('7')) await new Promise(() => undefined);
          throw new Error('no stock');
        }
        seen.set(key, [...(seen.get(key) ?? []), at]);
      },
      { timeoutMs: 3_000 },
    );
    await using app = await bootWithDatabase({
      url: postgres.url,
      controllers: [Handlers],
      messaging: { group, retry: slow },
    });
    const bus = app.get(EventBus);
    const { parking } = app.get<MessagingHub>(MessagingHub as never).stores;
    const poison = Array.from({ length: 8 }, (_, n) => `poison${n}`);
    for (let at = 0; at < 3; at += 1) await bus.publishBatch(poison.map(key => placed.of({ key, at })));
    await eventually(() => expect(tried.size).toBe(8));
    const good = Array.from({ length: 20 }, (_, n) => `good${n}`);
    for (let at = 0; at < 5; at += 1) await bus.publishBatch(good.map(key => placed.of({ key, at })));
    await eventually(() => expect(good.map(key => seen.get(key))).toEqual(good.map(() => [0, 1, 2, 3, 4])));
    await eventually(async () => expect(await parking!.size(group, signal)).toEqual({ keys: 8, messages: 24 }));
  });

  it('go on in order in the next process, when one has died', async () => {
    const group = uniqueName('group');
    const [first, second]: [string[], string[]] = [[], []];
    {
      const Handlers = handlers(({ key, at }) => {
        first.push(`${key}${at}`);
        if (key === 'bad') throw new Error('no stock');
      });
      await using app = await bootWithDatabase({
        url: postgres.url,
        controllers: [Handlers],
        messaging: { group, retry: slow },
      });
      const { parking } = app.get<MessagingHub>(MessagingHub as never).stores;
      const bus = app.get(EventBus);
      for (let at = 0; at < 3; at += 1) await bus.publish(placed.of({ key: 'bad', at }));
      await eventually(async () => expect(await parking!.size(group, signal)).toEqual({ keys: 1, messages: 3 }));
      expect(first).toEqual(['bad0']);
      // Its time has come by when the next process looks.
      await app.get(DataSource).query('UPDATE messaging_parked SET due_at = now() WHERE "group" = $1', [group]);
    }
    const Handlers = handlers(({ key, at }) => void second.push(`${key}${at}`));
    await using app = await bootWithDatabase({ url: postgres.url, controllers: [Handlers], messaging: { group } });
    await app.get(EventBus).publish(placed.of({ key: 'bad', at: 3 }));
    await eventually(() => expect(second).toEqual(['bad0', 'bad1', 'bad2', 'bad3']));
    const { parking } = app.get<MessagingHub>(MessagingHub as never).stores;
    await eventually(async () => expect(await parking!.size(group, signal)).toEqual({ keys: 0, messages: 0 }));
  });

  it('become dead letters after their last attempt, counted across processes', async () => {
    const group = uniqueName('group');
    const seen: string[] = [];
    const Handlers = handlers(({ key, at }) => {
      seen.push(`${key}${at}`);
      if (at === 0) throw new Error('no stock');
    });
    const options = {
      url: postgres.url,
      controllers: [Handlers],
      messaging: { group, retry: { ...slow, attempts: 3 } },
    };
    const due = 'UPDATE messaging_parked SET due_at = now() WHERE "group" = $1';
    for (const attempt of [1, 2]) {
      await using app = await bootWithDatabase(options);
      if (attempt === 1) for (const at of [0, 1]) await app.get(EventBus).publish(placed.of({ key: 'k', at }));
      const dataSource = app.get(DataSource);
      await eventually(async () => {
        const rows = await dataSource.query(
          'SELECT max(attempts) AS attempts FROM messaging_parked WHERE "group" = $1',
          [group],
        );
        expect(rows).toEqual([{ attempts: attempt }]);
      });
      await dataSource.query(due, [group]);
    }
    await using app = await bootWithDatabase(options);
    await eventually(() => expect(seen).toEqual(['k0', 'k0', 'k0', 'k1']));
    const { deadLetters, stores } = app.get<MessagingHub>(MessagingHub as never);
    await eventually(async () => expect(await stores.parking!.size(group, signal)).toEqual({ keys: 0, messages: 0 }));
    expect(await deadLetters.list({ group }, { limit: 10 }, signal)).toMatchObject([
      { reason: 'attempts', attempts: 3 },
    ]);
  });

  it('stay within the bound, and lose nothing at it', async () => {
    const group = uniqueName('group');
    const seen: number[] = [];
    let broken = true;
    const Handlers = handlers(({ at }) => {
      if (broken) throw new Error('no stock');
      seen.push(at);
    });
    const options = {
      url: postgres.url,
      controllers: [Handlers],
      outbox: { maxParked: 100 },
      messaging: { group, retry: slow },
    };
    {
      await using app = await bootWithDatabase(options);
      const { parking } = app.get<MessagingHub>(MessagingHub as never).stores;
      const bus = app.get(EventBus);
      await bus.publish(placed.of({ key: 'k', at: 0 }));
      await eventually(async () => expect((await parking!.size(group, signal)).messages).toBe(1));
      await bus.publishBatch(Array.from({ length: 150 }, (_, n) => placed.of({ key: 'k', at: n + 1 })));
      // Fifty at a time, and of the last fifty not all fit.
      await eventually(async () => expect((await parking!.size(group, signal)).messages).toBeGreaterThan(50));
      broken = false;
      await app.get(DataSource).query('UPDATE messaging_parked SET due_at = now() WHERE "group" = $1', [group]);
    }
    await using app = await bootWithDatabase(options);
    const { parking } = app.get<MessagingHub>(MessagingHub as never).stores;
    await eventually(async () => expect(await parking!.size(group, signal)).toEqual({ keys: 0, messages: 0 }));
    expect(seen).toEqual(seen.map((_, n) => n));
    expect(seen.length).toBeGreaterThan(50);
    expect(seen.length).toBeLessThanOrEqual(100);
  });
});
