import { RabbitmqClient } from '@core-infra/rabbitmq';
import { eventually, type HttpApp, uniqueName, useRabbitmq } from '@core-infra/testing';
import { EventBus, MessagingHub } from '../../src/index.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';
import { handlerOf, stepsOf } from './fixtures/steps.js';

jest.setTimeout(90_000);

const server = useRabbitmq();

/** Messages at the broker that nobody has. */
async function ready(app: HttpApp, type: string): Promise<number> {
  const client = app.get(RabbitmqClient);
  const depths = await Promise.all(Array.from({ length: 8 }, (_, number) => client.depth(`${type}:${type}:${number}`)));
  return depths.reduce((sum, { messages }) => sum + messages, 0);
}

describe('back-pressure on RabbitMQ', () => {
  it('no more bytes are taken than may be in hand, however few messages they are', async () => {
    const steps = stepsOf(uniqueName('bytes'));
    let go = (): void => undefined;
    const gate = new Promise<void>(resolve => (go = resolve));
    const seen: number[] = [];
    const handler = handlerOf(steps, async ({ at }) => {
      await gate;
      seen.push(at);
    });
    await using app = await bootRabbitmq(
      server.url,
      { group: steps.type, consumers: { maxInFlight: 1_000, maxBytesInFlight: 2_000_000 } },
      [handler],
    );
    const count = 48;
    const large = 'x'.repeat(500_000);
    for (let at = 0; at < count; at += 1)
      await app.get(EventBus).publish(steps.of({ key: `${large}${at}`, at }, { key: `key-${at}` }));
    const [member] = app.get(MessagingHub).members;
    await eventually(() => expect(member!.state.pausedBy).toContain('in flight'));
    // As RabbitMQ counts by messages, some of each partition.
    expect(await ready(app, steps.type)).toBeGreaterThanOrEqual(count - 20);
    go();
    await eventually(() => expect(seen).toHaveLength(count), { timeoutMs: 40_000 });
  });

  it('a message that hangs keeps none of its partition from others, whatever else pauses meanwhile', async () => {
    const steps = stepsOf(uniqueName('hangs'));
    let go = (): void => undefined;
    const gate = new Promise<void>(resolve => (go = resolve));
    const seen: number[] = [];
    const handler = handlerOf(
      steps,
      async ({ key, at }) => {
        if (key === 'hangs') await gate;
        else seen.push(at);
      },
      { concurrency: 8 },
    );
    const options = { group: steps.type, rabbitmq: { partitions: 1 }, shutdownTimeoutMs: 1_000 };
    await using app = await bootRabbitmq(server.url, options, [handler]);
    const bus = app.get(EventBus);
    const { pressure, members } = app.get(MessagingHub);
    const [member] = members;
    await bus.publish(steps.of({ key: 'hangs', at: -1 }));
    await eventually(() => expect(member!.state.inFlight).toBe(1));
    const publish = (from: number) =>
      bus.publishBatch(Array.from({ length: 100 }, (_, at) => steps.of({ key: `key-${at}`, at: from + at })));
    await publish(0);
    await eventually(() => expect(seen).toHaveLength(100));
    const remove = pressure.add('spec', () => true);
    await eventually(() => expect(member!.state.pausedBy).toContain('spec'));
    await publish(100);
    remove();
    await eventually(() => expect(seen).toHaveLength(200), { timeoutMs: 20_000 });
    expect(member!.state.inFlight).toBe(1);
    go();
    await eventually(() => expect(member!.state.inFlight).toBe(0));
  });
});
