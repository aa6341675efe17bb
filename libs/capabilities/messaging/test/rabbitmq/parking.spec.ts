import { getEventListeners } from 'node:events';
import { join } from 'node:path';
import { RabbitmqClient } from '@core-infra/rabbitmq';
import { eventually, type HttpApp, runChild, uniqueName, useRabbitmq, useRabbitmqServer } from '@core-infra/testing';
import type { Channel } from 'amqplib';
import { Controller, type Type } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { EventBus, MessageContext, MessagingHub, type MessagingOptions, Subscribe } from '../../src/index.js';
import { Memory } from '../../src/drivers/rabbitmq/parked-entry.js';
import { ParkedPartition } from '../../src/drivers/rabbitmq/parked-partition.js';
import { QueueSets } from '../../src/drivers/rabbitmq/queue-sets.js';
import type { ParkRequest } from '../../src/stores/parking.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';
import { handlerOf, type Step, stepsOf } from './fixtures/steps.js';

jest.setTimeout(120_000);

const server = useRabbitmq();
const ever = () => AbortSignal.timeout(30_000);
const never = { firstDelayMs: 60_000, factor: 1, maxDelayMs: 60_000, attempts: 100 };
const boot = (group: string, controllers: readonly Type[], options: MessagingOptions = {}) =>
  bootRabbitmq(server.url, { group, retry: never, ...options }, controllers);
const sizeOf = (app: HttpApp) => app.get(MessagingHub).driver.parking!.size(undefined, ever());
const depthOf = async (app: HttpApp, group: string): Promise<number> => {
  let sum = 0;
  for (let number = 0; number < 8; number += 1)
    sum += await app
      .get(RabbitmqClient)
      .depth(`${group}:${group}:${number}`)
      .then(({ messages }) => messages);
  return sum;
};

describe('parked keys on RabbitMQ', () => {
  it('do not hold up others, though more of their messages come than a member may have in hand', async () => {
    const steps = stepsOf(uniqueName('poison'));
    const seen: Step[] = [];
    const handler = handlerOf(
      steps,
      step => {
        if (step.key.startsWith('bad')) throw new Error('never');
        seen.push(step);
      },
      { concurrency: 8 },
    );
    await using app = await boot(steps.type, [handler], { consumers: { maxInFlight: 40 } });
    const bus = app.get(EventBus);
    for (let round = 0; round < 40; round += 1)
      await bus.publishBatch(Array.from({ length: 8 }, (_, key) => steps.of({ key: `bad-${key}`, at: round })));
    for (let at = 0; at < 50; at += 1) await bus.publish(steps.of({ key: `good-${at}`, at }));
    await eventually(() => expect(seen).toHaveLength(50), { timeoutMs: 20_000 });
    await eventually(async () => expect(await sizeOf(app)).toEqual({ keys: 8, messages: 320 }), { timeoutMs: 20_000 });
    expect([...app.get(MessagingHub).members][0]!.state.inFlight).toBe(0);
    await eventually(async () => expect(await depthOf(app, steps.type)).toBe(0));
  });

  it('are bounded: beyond the bound nothing more is fetched, and nothing is lost', async () => {
    const steps = stepsOf(uniqueName('bound'));
    const seen: number[] = [];
    let fails = true;
    const handler = handlerOf(steps, ({ at }) => {
      if (fails) throw new Error('not yet');
      seen.push(at);
    });
    await using app = await boot(steps.type, [handler], {
      rabbitmq: { maxParked: 10 },
      consumers: { maxInFlight: 20 },
      retry: { firstDelayMs: 1_500, factor: 1, maxDelayMs: 1_500, attempts: 1_000 },
    });
    await app.get(EventBus).publishBatch(Array.from({ length: 60 }, (_, at) => steps.of({ key: 'key', at })));
    await eventually(async () => expect((await sizeOf(app)).messages).toBeGreaterThan(0), { timeoutMs: 20_000 });
    const [member] = app.get(MessagingHub).members;
    expect((await sizeOf(app)).messages).toBeLessThanOrEqual(10);
    expect(member!.state.inFlight).toBeLessThanOrEqual(20);
    fails = false;
    await eventually(() => expect(seen).toHaveLength(60), { timeoutMs: 60_000 });
    expect(seen).toEqual(Array.from({ length: 60 }, (_, at) => at));
    await eventually(async () => expect(await sizeOf(app)).toEqual({ keys: 0, messages: 0 }));
  });

  it('survive kill -9 with their attempts and their order, and what comes later waits for them', async () => {
    const type = uniqueName('killed');
    const steps = stepsOf(type);
    const worker = runChild(join(__dirname, 'fixtures/failing.main.ts'), { args: [server.url, type, type] });
    await worker.waitForLine(/^ready$/);
    await using app = await bootRabbitmq(server.url);
    const bus = app.get(EventBus);
    await bus.publishBatch([0, 1, 2].map(at => steps.of({ key: 'bad', at })));
    await worker.waitForLine(/^attempt bad 0 3$/);
    worker.kill('SIGKILL');
    await worker.exit;
    await bus.publish(steps.of({ key: 'bad', at: 3 }));
    const seen: [number, number][] = [];
    @Controller()
    class Mended {
      @Subscribe(steps)
      handle(@Payload() { at }: Step, @Ctx() { attempt }: MessageContext): void {
        seen.push([at, attempt]);
      }
    }
    await using second = await boot(type, [Mended]);
    await eventually(() => expect(seen.map(([at]) => at)).toEqual([0, 1, 2, 3]), { timeoutMs: 40_000 });
    // Two failed attempts are known for sure: the third had just begun.
    expect(seen[0]![1]).toBeGreaterThanOrEqual(3);
    expect(seen.slice(1).map(([, attempt]) => attempt)).toEqual([1, 1, 1]);
    await eventually(async () => expect(await sizeOf(second)).toEqual({ keys: 0, messages: 0 }));
  });
});

describe('a parking queue', () => {
  const request = (at: number, key = 'k'): ParkRequest => ({
    message: {
      id: `id-${key}-${at}`,
      topic: 'orders',
      key,
      headers: { 'x-note': 'ä', ...(at === 1 && { 'x-large': 'x'.repeat(70_000) }) },
      body: Buffer.from([at, 255]),
      partition: 3,
      position: at,
      time: 1_000 + at,
      attempts: 0,
      firstAttemptAt: 500,
    },
    attempts: at === 0 ? 1 : 0,
    dueAt: at === 0 ? 7_000 : 0,
    reason: 'not yet',
  });

  it.each([
    ['with', 1_000_000],
    ['without', 0],
  ])('keeps order, attempts and what came over owners, %s memory for it', async (_, bytes) => {
    await using app = await bootRabbitmq(server.url);
    const client = app.get(RabbitmqClient);
    const { site } = app.get(MessagingHub);
    const name = uniqueName('parked');
    const warn = jest.fn();
    const owner = () => {
      const sets = new QueueSets(client, site, 'events', { exchangeType: 'topic', partitions: 8 });
      const own = { client, sets, logger: { warn }, group: 'g', memory: new Memory(bytes) };
      return new ParkedPartition(own, { topic: 'orders', number: 3 }, name);
    };
    const first = owner();
    await first.load(ever());
    await first.park([request(0), request(1)], ever());
    await first.park([request(1), request(2), request(0, 'other')], ever());
    expect([first.keys, first.size]).toEqual([2, 4]);
    // An id that another system has given to another message.
    const same = { ...request(2).message, body: Buffer.from('other') };
    await first.park([{ ...request(2), message: same }], ever());
    first.remove([(await first.next('k', 4, ever()))[3]!.ticket]);
    expect(first.size).toBe(4);
    const [head] = await first.next('k', 1, ever());
    expect(head).toMatchObject({ id: 'id-k-0', attempts: 1, firstAttemptAt: 500, time: 1_000, partition: 3 });
    await first.postpone(head!.ticket, 2, 9_000, ever());
    await first.close();
    const second = owner();
    await second.load(ever());
    expect([...second.firsts()].toSorted((one, other) => (one.key < other.key ? -1 : 1))).toEqual([
      { key: 'k', dueAt: 9_000, messages: 3 },
      { key: 'other', dueAt: 7_000, messages: 1 },
    ]);
    const any = jest.spyOn(AbortSignal, 'any');
    const all = await second.next('k', 50, ever());
    const signals = any.mock.results.map(({ value }) => value as AbortSignal);
    any.mockRestore();
    // A signal that is listened to is kept, and what listens with it: the content would be.
    expect(signals.map(signal => getEventListeners(signal, 'abort').length)).toEqual(signals.map(() => 0));
    expect(signals.length > 0).toBe(bytes === 0);
    expect(all.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['id-k-0', 2],
      ['id-k-1', 0],
      ['id-k-2', 0],
    ]);
    expect(all[1]).toMatchObject({ headers: { 'x-large': 'x'.repeat(70_000) }, body: Buffer.from([1, 255]) });
    const [other] = await second.next('other', 1, ever());
    second.remove([all[0]!.ticket, other!.ticket]);
    await second.close();
    const third = owner();
    await third.load(ever());
    expect([...third.firsts()]).toEqual([{ key: 'k', dueAt: 0, messages: 2 }]);
    // As the broker does with a channel that holds messages for too long.
    const { consumers } = client as unknown as { consumers: Set<{ queue: string; channel: Channel }> };
    await [...consumers].find(({ queue }) => queue === name)!.channel.close();
    await eventually(async () => expect(await client.depth(name)).toEqual({ messages: 0, consumers: 1 }));
    expect(await third.next('k', 5, ever())).toMatchObject([
      { id: 'id-k-1', body: Buffer.from([1, 255]) },
      { id: 'id-k-2', body: Buffer.from([2, 255]) },
    ]);
    expect(third.size).toBe(2);
    await client.withChannel(channel => channel.deleteQueue(name));
    await eventually(() => expect(third.size).toBe(0), { timeoutMs: 20_000 });
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/2 parked messages are gone/));
    await third.park([request(5)], ever());
    expect((await third.next('k', 5, ever())).map(({ id }) => id)).toEqual(['id-k-5']);
    await third.close();
  });
});

describe('parked keys and a broker that is killed', () => {
  const own = useRabbitmqServer();

  it('wait with it: nothing is lost, attempts and order stay, and others go on', async () => {
    const steps = stepsOf(uniqueName('away'));
    const seen: Step[] = [];
    const attempts: number[] = [];
    let fails = true;
    @Controller()
    class Steps {
      @Subscribe(steps)
      handle(@Payload() step: Step, @Ctx() { attempt }: MessageContext): void {
        if (step.key === 'bad' && step.at === 0) attempts.push(attempt);
        if (step.key === 'bad' && fails) throw new Error('not yet');
        seen.push(step);
      }
    }
    const retry = { firstDelayMs: 1_000, factor: 1, maxDelayMs: 1_000, attempts: 1_000, parkAfterMs: 0 };
    await using app = await bootRabbitmq(own.url, { group: steps.type, retry, publishTimeoutMs: 60_000 }, [Steps]);
    const bus = app.get(EventBus);
    await bus.publishBatch([0, 1, 2].map(at => steps.of({ key: 'bad', at })));
    await eventually(() => expect(attempts.length).toBeGreaterThan(1), { timeoutMs: 20_000 });
    await own.settled();
    await own.kill();
    await own.start();
    await bus.publishBatch([3, 4].map(at => steps.of({ key: 'bad', at })));
    await bus.publish(steps.of({ key: 'good', at: 0 }));
    await eventually(() => expect(seen.map(({ key }) => key)).toEqual(['good']), { timeoutMs: 30_000 });
    fails = false;
    await eventually(
      () => expect(seen.filter(({ key }) => key === 'bad').map(({ at }) => at)).toEqual([0, 1, 2, 3, 4]),
      {
        timeoutMs: 30_000,
      },
    );
    // Each attempt counts on from the last that the lot knew of.
    expect(attempts).toEqual(attempts.toSorted((a, b) => a - b));
    expect(attempts.at(-1)).toBeGreaterThan(2);
    await eventually(async () => expect(await sizeOf(app)).toEqual({ keys: 0, messages: 0 }));
  });
});
