import { RabbitmqClient, type RabbitmqMessage } from '@core-infra/rabbitmq';
import { eventually, uniqueName, useRabbitmq } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { EventBus, MessageContext, MessagingHub, Subscribe } from '../../src/index.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';
import { handlerOf, type Step, stepsOf } from './fixtures/steps.js';

jest.setTimeout(60_000);

const server = useRabbitmq();

describe('other systems', () => {
  it('publish without an envelope, with headers of any type, to a topic of json', async () => {
    const steps = stepsOf(uniqueName('legacy'));
    const seen: unknown[] = [];
    @Controller()
    class Legacy {
      @Subscribe(steps)
      handle(@Payload() step: Step, @Ctx() { event }: MessageContext): void {
        const { id, type, key, headers } = event;
        seen.push({ step, id, type, key, headers });
      }
    }
    const topics = { [steps.type]: { codec: 'json' as const } };
    await using app = await bootRabbitmq(server.url, { group: steps.type, topics }, [Legacy]);
    const client = app.get(RabbitmqClient);
    const headers = { tenant: 'süß', count: 7, list: ['a', { b: 1 }], flag: true, __proto__: 'hostile' };
    await client.publish({
      exchange: 'events',
      routingKey: steps.type,
      messageId: 'legacy-1',
      content: JSON.stringify({ key: 'k', at: 1 }),
      headers,
    });
    await eventually(() =>
      expect(seen).toEqual([
        {
          step: { key: 'k', at: 1 },
          id: 'legacy-1',
          type: steps.type,
          key: undefined,
          headers: { tenant: 'süß', count: '7', list: '["a",{"b":1}]', flag: 'true' },
        },
      ]),
    );
    for (let at = 2; at <= 3; at += 1)
      await client.withChannel(async channel => {
        channel.publish('events', steps.type, Buffer.from(JSON.stringify({ key: 'k', at })));
        await channel.checkExchange('events');
      });
    await eventually(() => expect(seen).toHaveLength(3));
    // Without an id each is an event of its own.
    expect(new Set((seen as { id: string }[]).map(({ id }) => id)).size).toBe(3);
  });

  it('read and write CloudEvents by the names of the binding for AMQP', async () => {
    const steps = stepsOf(uniqueName('orders'));
    const seen: Step[] = [];
    await using app = await bootRabbitmq(server.url, { group: steps.type, source: '/shop' }, [
      handlerOf(steps, step => void seen.push(step)),
    ]);
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('observer');
    await client.topology({
      queues: [{ name: queue }],
      bindings: [{ exchange: 'events', queue, routingKey: `${steps.type}.*` }],
    });
    const observed: RabbitmqMessage[] = [];
    await client.consume(queue, {}, message => {
      observed.push(message);
      message.ack();
    });
    await app
      .get(EventBus)
      .publish(steps.of({ key: 'grün', at: 1 }, { id: 'ü'.repeat(200), headers: { 'x-tenant': 'a' } }));
    await eventually(() => expect(observed).toHaveLength(1));
    expect(observed[0]!.properties.contentType).toBe('application/json');
    expect(observed[0]!.headers).toMatchObject({
      cloudEvents_specversion: '1.0',
      cloudEvents_type: steps.type,
      cloudEvents_source: '/shop',
      cloudEvents_partitionkey: 'grün',
      'x-tenant': 'a',
    });
    const theirs = { specversion: '1.0', id: '7', source: '/s', type: steps.type };
    for (const [at, separator] of [':', '_'].entries())
      await client.publish({
        exchange: 'events',
        routingKey: steps.type,
        contentType: 'application/json',
        content: JSON.stringify({ key: 'k', at: at + 2 }),
        headers: Object.fromEntries(
          Object.entries(theirs).map(([name, value]) => [`cloudEvents${separator}${name}`, value]),
        ),
      });
    await eventually(() => expect(seen.map(({ at }) => at).toSorted((a, b) => a - b)).toEqual([1, 2, 3]));
  });
});

describe('poison', () => {
  it('that looks like what the driver writes itself is a dead letter, and others go on', async () => {
    const steps = stepsOf(uniqueName('forged'));
    const seen: number[] = [];
    const handler = handlerOf(steps, ({ at }) => void seen.push(at));
    await using app = await bootRabbitmq(server.url, { group: steps.type }, [handler]);
    const forged = ['{', 'null', '{}', '{"id":"1","headers":{"a":null},"body":"e30=","extra":{}}'];
    for (const content of forged)
      await app.get(RabbitmqClient).publish({
        exchange: 'events',
        routingKey: steps.type,
        contentType: 'application/vnd.core-infra.message+json',
        content,
      });
    await app.get(EventBus).publish(steps.of({ key: 'good', at: 1 }));
    await eventually(() => expect(seen).toEqual([1]));
    const { deadLetters } = app.get(MessagingHub);
    await eventually(async () => {
      const letters = await deadLetters.list({ group: steps.type }, { limit: 9 }, AbortSignal.timeout(20_000));
      expect(letters.map(({ reason, message }) => `${reason} ${message.body.toString()}`).toSorted()).toEqual(
        forged.map(content => `undecodable ${content}`).toSorted(),
      );
    });
  });

  it('of eight keys at once does not keep other keys waiting, whatever it does', async () => {
    const steps = stepsOf(uniqueName('poison'));
    const published: number[] = [];
    const waits: number[] = [];
    const handler = handlerOf(
      steps,
      async ({ key, at }) => {
        if (key.startsWith('throws')) throw new Error('never');
        if (key.startsWith('hangs')) await new Promise(() => undefined);
        waits.push(performance.now() - published[at]!);
      },
      { concurrency: 8, timeoutMs: 150, retry: { attempts: 50, firstDelayMs: 100, maxDelayMs: 1_000 } },
    );
    await using app = await bootRabbitmq(server.url, { group: steps.type, shutdownTimeoutMs: 1_000 }, [handler]);
    const bus = app.get(EventBus);
    const bad = ['throws-1', 'throws-2', 'throws-3', 'throws-4', 'hangs-1', 'hangs-2', 'hangs-3', 'hangs-4'];
    await bus.publishBatch(bad.map(key => steps.of({ key, at: 0 })));
    for (let at = 0; at < 100; at += 1) {
      published[at] = performance.now();
      await bus.publish(steps.of({ key: `good-${at % 10}`, at }));
    }
    await eventually(() => expect(waits).toHaveLength(100));
    const [member] = app.get(MessagingHub).members;
    await eventually(() => expect(member!.state.inFlight).toBe(bad.length));
  });
});
