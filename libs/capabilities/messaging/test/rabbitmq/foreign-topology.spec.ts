import { RabbitmqClient } from '@core-infra/rabbitmq';
import { eventually, failure, uniqueName, useRabbitmq } from '@core-infra/testing';
import { type ChannelModel, connect } from 'amqplib';
import { EventBus, MessagingHub } from '../../src/index.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';
import { handlerOf, type Step, stepsOf } from './fixtures/steps.js';

jest.setTimeout(90_000);

const server = useRabbitmq();
const numbers = (seen: readonly Step[]): number[] => seen.map(({ at }) => at);

/** What another system has made, by hand. */
describe('a topology of another system', () => {
  let theirs: ChannelModel;
  beforeAll(async () => (theirs = await connect(server.url)));
  afterAll(() => theirs.close());

  it('an exchange and a queue of any kind are published to and consumed from, and stay as they are', async () => {
    const steps = stepsOf(uniqueName('orders'));
    const [exchange, queue] = [uniqueName('their exchange'), uniqueName('their/queue')];
    const channel = await theirs.createChannel();
    await channel.assertExchange(exchange, 'direct', { durable: false, autoDelete: true });
    const arguments_ = { 'x-max-length': 1_000, 'x-message-ttl': 60_000 };
    await channel.assertQueue(queue, { durable: true, arguments: arguments_ });
    await channel.bindQueue(queue, exchange, 'placed');
    const seen: Step[] = [];
    const topics = { [steps.type]: { codec: 'json' as const, exchange, routingKey: 'placed', queue } };
    const boot = () =>
      bootRabbitmq(server.url, { group: steps.type, topics }, [handlerOf(steps, step => void seen.push(step))], {
        queuePrefix: 'ours.',
      });
    const first = await boot();
    for (let at = 0; at < 20; at += 1)
      channel.publish(exchange, 'placed', Buffer.from(JSON.stringify({ key: 'k', at })), {
        headers: { cloudEvents_partitionkey: 'k' },
      });
    await eventually(() => expect(seen).toHaveLength(20), { timeoutMs: 20_000 });
    await first.get(EventBus).publish(steps.of({ key: 'k', at: 20 }));
    await eventually(() => expect(numbers(seen)).toEqual(Array.from({ length: 21 }, (_, at) => at)));
    // Another member waits for it, and has it when the first is gone.
    await using second = await boot();
    await first.close();
    await second.get(EventBus).publish(steps.of({ key: 'k', at: 21 }));
    await eventually(() => expect(numbers(seen).at(-1)).toBe(21), { timeoutMs: 30_000 });
    const [member] = second.get(MessagingHub).members;
    expect(await member!.backlog(AbortSignal.timeout(5_000))).toEqual([{ topic: steps.type, messages: 0 }]);
    // With other arguments either would be an error.
    await channel.assertExchange(exchange, 'direct', { durable: false, autoDelete: true });
    await channel.assertQueue(queue, { durable: true, arguments: arguments_ });
    await channel.close();
  });

  it('of a foreign exchange alone, each group gets everything, in a queue of its own', async () => {
    const steps = stepsOf(uniqueName('fanout'));
    const exchange = uniqueName('theirs');
    const channel = await theirs.createChannel();
    await channel.assertExchange(exchange, 'fanout', { durable: true });
    const seen: Record<string, number[]> = { a: [], b: [] };
    const group = (name: string) =>
      handlerOf(steps, ({ at }) => void seen[name]!.push(at), { group: `${steps.type}-${name}` });
    const topics = { [steps.type]: { exchange, routingKey: '' } };
    await using app = await bootRabbitmq(server.url, { topics }, [group('a'), group('b')]);
    await app.get(EventBus).publishBatch([0, 1, 2].map(at => steps.of({ key: 'k', at })));
    await eventually(() => expect(seen).toEqual({ a: [0, 1, 2], b: [0, 1, 2] }), { timeoutMs: 20_000 });
    expect([...app.get(MessagingHub).members].map(({ state }) => state.partitions)).toEqual([2, 2]);
    await channel.deleteExchange(exchange);
    await channel.close();
    expect(await failure(app.get(EventBus).publish(steps.of({ key: 'k', at: 3 })))).toMatchObject({
      code: 'INFRA_RABBITMQ_MISSING',
      resource: exchange,
    });
  });

  it('of a foreign queue alone, events and tasks go straight to it', async () => {
    const steps = stepsOf(uniqueName('straight'));
    const queue = uniqueName('their queue');
    const channel = await theirs.createChannel();
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    const topics = { [steps.type]: { queue } };
    await using app = await bootRabbitmq(server.url, { topics }, [], { queuePrefix: 'ours.' });
    const bus = app.get(EventBus);
    await bus.publish(steps.of({ key: 'k', at: 0 }));
    await bus.send(steps.of({ key: 'k', at: 1 }));
    const got: number[] = [];
    for (let times = 0; times < 2; times += 1) {
      const message = await channel.get(queue, { noAck: true });
      if (message) got.push((JSON.parse(message.content.toString()) as Step).at);
    }
    expect(got).toEqual([0, 1]);
    await channel.close();
  });

  it('that is not there is named, and made use of once it is', async () => {
    const steps = stepsOf(uniqueName('late'));
    const queue = uniqueName('late');
    const seen: Step[] = [];
    const topics = { [steps.type]: { queue } };
    await using app = await bootRabbitmq(server.url, { group: steps.type, topics }, [
      handlerOf(steps, step => void seen.push(step)),
    ]);
    const [member] = app.get(MessagingHub).members;
    await eventually(() => expect(member!.state.trouble?.message).toContain(`There is no queue ${queue}`));
    const client = app.get(RabbitmqClient);
    await client.topology({ queues: [{ name: queue, type: 'classic' }] });
    await app.get(EventBus).publish(steps.of({ key: 'k', at: 0 }));
    await eventually(() => expect(numbers(seen)).toEqual([0]), { timeoutMs: 20_000 });
  });
});
