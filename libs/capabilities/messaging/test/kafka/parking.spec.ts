import { KafkaClient } from '@core-infra/kafka';
import { eventually, uniqueName, useKafka } from '@core-infra/testing';
import type { Type } from '@nestjs/common';
import { EventBus, MessagingHub, type MessagingOptions } from '../../src/index.js';
import { Orders } from '../../src/testing/orders.js';
import { bootKafka } from './support/boot-kafka.js';

jest.setTimeout(120_000);

const kafka = useKafka();
const ever = () => AbortSignal.timeout(20_000);
const boot = (group: string, controllers: readonly Type[], options: MessagingOptions = {}) =>
  bootKafka({
    brokers: kafka.brokers,
    controllers,
    options: { group, retry: { firstDelayMs: 60_000, factor: 1, maxDelayMs: 60_000, attempts: 100 }, ...options },
  });
const hubOf = (app: { get: (token: never, options: object) => unknown }) =>
  app.get(MessagingHub as never, { strict: false }) as MessagingHub;

describe('parked keys on Kafka', () => {
  it('do not hold up others, with as many of them as handlers may run at once', async () => {
    const orders = new Orders(uniqueName('poison'));
    const seen = new Map<string, number[]>();
    const latencies: number[] = [];
    await using app = await boot(uniqueName('group'), [
      orders.handler(
        ({ id, at }) => {
          if (id.startsWith('bad')) throw new Error('never');
          if (id === 'good') latencies.push(Date.now() - at);
          seen.set(id, [...(seen.get(id) ?? []), at]);
        },
        { concurrency: 8 },
      ),
    ]);
    const bus = app.get(EventBus);
    for (let round = 0; round < 3; round += 1)
      await bus.publishBatch(Array.from({ length: 8 }, (_, key) => orders.placed.of({ id: `bad-${key}`, at: round })));
    const lot = hubOf(app).driver.parking!;
    await eventually(async () => expect(await lot.size(undefined, ever())).toEqual({ keys: 8, messages: 24 }), {
      timeoutMs: 20_000,
    });
    for (let n = 0; n < 100; n += 1) {
      await bus.publish(orders.placed.of({ id: 'good', at: Date.now() }));
      if (n % 10 === 0)
        await bus.publishBatch(
          Array.from({ length: 8 }, (_, key) => orders.placed.of({ id: `bad-${key}`, at: n + 3 })),
        );
    }
    await eventually(() => expect(latencies).toHaveLength(100));
    expect([...seen.keys()]).toEqual(['good']);
    await eventually(async () => expect((await lot.size(undefined, ever())).messages).toBe(8 * 13));
  });

  it('are bounded: beyond the bound nothing more is fetched, and nothing is lost', async () => {
    const orders = new Orders(uniqueName('bound'));
    const seen: number[] = [];
    let fails = true;
    await using app = await boot(
      uniqueName('group'),
      [
        orders.handler(({ at }) => {
          if (fails) throw new Error('not yet');
          seen.push(at);
        }),
      ],
      {
        kafka: { maxParked: 10 },
        consumers: { maxInFlight: 20 },
        retry: { firstDelayMs: 2_500, factor: 1, maxDelayMs: 2_500, attempts: 1_000 },
      },
    );
    await app.get(EventBus).publishBatch(Array.from({ length: 100 }, (_, at) => orders.placed.of({ id: 'key', at })));
    const { members, driver } = hubOf(app);
    const [member] = members;
    await eventually(() => expect(member!.state.pausedBy).toContain('in flight'), { timeoutMs: 20_000 });
    expect((await driver.parking!.size(undefined, ever())).messages).toBeLessThanOrEqual(10);
    fails = false;
    await eventually(() => expect(seen).toHaveLength(100), { timeoutMs: 60_000 });
    expect(seen).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(await driver.parking!.size(undefined, ever())).toEqual({ keys: 0, messages: 0 });
  });

  it('go with their partition to another member, in order, as large as they may be', async () => {
    const orders = new Orders(uniqueName('move'));
    const group = uniqueName('group');
    const failing = orders.handler(() => Promise.reject(new Error('not yet')));
    const first = await boot(group, [failing], {
      retry: { firstDelayMs: 3_000, factor: 1, maxDelayMs: 3_000, attempts: 100 },
    });
    const large = 'x'.repeat(900_000);
    const events = [0, 1, 2].map(at => orders.placed.of({ id: `${at === 1 ? large : 'small'}`, at }, { key: 'key' }));
    await first.get(EventBus).publishBatch(events);
    const lot = hubOf(first).driver.parking!;
    await eventually(async () => expect((await lot.size(group, ever())).messages).toBe(3), { timeoutMs: 20_000 });
    await first.close();
    const seen: [number, number, number][] = [];
    await using second = await boot(group, [
      orders.handler(({ id, at }, { attempt }) => void seen.push([at, id.length, attempt])),
    ]);
    await second.get(EventBus).publish(orders.placed.of({ id: 'late', at: 3 }, { key: 'key' }));
    await eventually(() => expect(seen).toHaveLength(4), { timeoutMs: 30_000 });
    expect(seen.map(([at, length]) => [at, length])).toEqual([
      [0, 5],
      [1, 900_000],
      [2, 5],
      [3, 4],
    ]);
    expect(seen[0]![2]).toBeGreaterThan(1);
    // What is done leaves nothing behind but the claims.
    const parked = `${orders.placed.type}.${group}.parked`;
    const { reader } = second.get(KafkaClient);
    const left: string[] = [];
    for (const { partition, start, end } of await reader.bounds(parked))
      for await (const messages of reader.read(parked, partition, { from: start, to: end }))
        left.push(...messages.filter(({ value }) => value !== null).map(({ key }) => String(key)));
    const removed: string[] = [];
    for (const { partition, start, end } of await reader.bounds(parked))
      for await (const messages of reader.read(parked, partition, { from: start, to: end }))
        removed.push(...messages.filter(({ value }) => value === null).map(({ key }) => String(key)));
    expect(left.filter(key => !key.startsWith('claim/') && !removed.includes(key))).toEqual([]);
  });
});
