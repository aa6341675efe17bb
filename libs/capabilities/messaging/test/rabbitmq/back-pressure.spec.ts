import { RabbitmqClient } from '@core-infra/rabbitmq';
import { eventually, type HttpApp, uniqueName, useRabbitmq } from '@core-infra/testing';
import { EventBus, MessagingHub } from '../../src/index.js';
import { Window } from '../../src/drivers/rabbitmq/window.js';
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
  it('a pause leaves messages at the broker, and all come when it is over', async () => {
    const steps = stepsOf(uniqueName('pause'));
    const seen = new Set<string>();
    await using app = await bootRabbitmq(server.url, { group: steps.type }, [
      handlerOf(steps, ({ key }) => void seen.add(key)),
    ]);
    const { pressure, members } = app.get(MessagingHub);
    const [member] = members;
    await eventually(() => expect(member!.state.partitions).toBe(9), { timeoutMs: 20_000 });
    const remove = pressure.add('spec', () => true);
    await eventually(() => expect(member!.state.pausedBy).toContain('spec'));
    // Once the broker delivers nothing.
    await eventually(async () =>
      expect((await app.get(RabbitmqClient).depth(`${steps.type}:${steps.type}:0`)).consumers).toBe(0),
    );
    const events = Array.from({ length: 400 }, (_, at) => steps.of({ key: `key-${at}`, at }));
    await app.get(EventBus).publishBatch(events);
    expect(await ready(app, steps.type)).toBe(400);
    expect(seen.size).toBe(0);
    remove();
    await eventually(() => expect(seen.size).toBe(400), { timeoutMs: 20_000 });
    await eventually(async () => expect(await ready(app, steps.type)).toBe(0));
  });

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
    // One of each partition is what may be here before it is known how large they are, and one more.
    expect(await ready(app, steps.type)).toBeGreaterThanOrEqual(count - 20);
    go();
    await eventually(() => expect(seen).toHaveLength(count), { timeoutMs: 40_000 });
  });

  it('a window narrows with large messages, and widens step by step when they are past', () => {
    const window = new Window(100, 1_000_000);
    expect(window.size).toBe(1);
    const sizes = [100, 100, 100, 100, 100, 100, 100].map(bytes => (window.note(bytes), window.size));
    expect(sizes).toEqual([2, 4, 8, 16, 32, 64, 100]);
    expect([window.note(100_000), window.size]).toEqual([true, 10]);
    expect(window.note(100_000)).toBe(false);
    for (let times = 0; times < 1_000; times += 1) window.note(1_000);
    expect(window.size).toBe(100);
  });
});
