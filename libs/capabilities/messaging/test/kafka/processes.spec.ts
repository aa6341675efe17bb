import { join } from 'node:path';
import { KafkaClient } from '@core-infra/kafka';
import { type Child, eventually, runChild, uniqueName, useKafka } from '@core-infra/testing';
import { EventBus } from '../../src/index.js';
import { inversions, nameOf, type Step, stepsOf } from './fixtures/steps.js';
import { bootKafka } from './support/boot-kafka.js';

jest.setTimeout(120_000);

const kafka = useKafka();

const start = async (type: string, group: string, mode = 'works'): Promise<Child> => {
  const child = runChild(join(__dirname, 'fixtures/worker.main.ts'), { args: [kafka.brokers[0]!, type, group, mode] });
  await child.waitForLine(/^ready$/);
  return child;
};
const handledBy = (child: Child): Step[] =>
  child.stdout.flatMap(line => {
    const [what, key, at] = line.split(' ');
    return what === 'handled' ? [{ key: key!, at: Number(at) }] : [];
  });

describe('processes of a group', () => {
  it('lose nothing when one is killed, and keep the order of each key', async () => {
    const type = uniqueName('steps');
    const group = uniqueName('workers');
    const steps = stepsOf(type);
    await using app = await bootKafka({ brokers: kafka.brokers });
    const bus = app.get(EventBus);
    const events = Array.from({ length: 6_000 }, (_, index) =>
      steps.of({ key: `key-${index % 40}`, at: Math.floor(index / 40) }),
    );
    await bus.publishBatch(events.slice(0, 1_000));
    const first = await start(type, group);
    // So that it has all partitions first, and nothing comes back to it.
    await eventually(() => expect(handledBy(first).length).toBeGreaterThan(0), { timeoutMs: 30_000 });
    const second = await start(type, group);
    const publishing = (async () => {
      for (let from = 1_000; from < 6_000; from += 100) {
        await bus.publishBatch(events.slice(from, from + 100));
        await new Promise(resolve => setTimeout(resolve, 40));
      }
    })();
    const both = [first, second];
    await eventually(() => both.forEach(child => expect(handledBy(child).length).toBeGreaterThan(100)), {
      timeoutMs: 30_000,
    });
    first.kill('SIGKILL');
    await first.exit;
    await publishing;
    await eventually(() => expect(new Set([...handledBy(first), ...handledBy(second)].map(nameOf)).size).toBe(6_000), {
      timeoutMs: 60_000,
    });
    // What the first had done was done before the second had its partitions.
    const all = [...handledBy(first), ...handledBy(second)];
    const own = new Set(handledBy(first).map(({ key }) => key));
    expect(inversions(all.filter(({ key }) => own.has(key)))).toEqual([]);
    expect(inversions(all)).toEqual([]);
    await eventually(async () => {
      const lags = await app.get(KafkaClient).admin.lag(group, [type]);
      expect(lags.map(({ lag }) => lag)).toEqual([0n, 0n, 0n]);
    });
  });

  it('go on with parked keys, in order, after the one that had parked them was killed', async () => {
    const type = uniqueName('steps');
    const group = uniqueName('workers');
    const steps = stepsOf(type);
    await using app = await bootKafka({ brokers: kafka.brokers });
    const bus = app.get(EventBus);
    const keys = ['bad-1', 'bad-2', 'bad-3', 'good'];
    const publish = (from: number, to: number) =>
      bus.publishBatch(
        Array.from({ length: to - from }, (_, index) => from + index).flatMap(at =>
          keys.map(key => steps.of({ key, at })),
        ),
      );
    await publish(0, 5);
    const first = await start(type, group, 'fails');
    await eventually(() => expect(handledBy(first)).toHaveLength(5), { timeoutMs: 30_000 });
    await publish(5, 10);
    await eventually(() => expect(handledBy(first)).toHaveLength(10), { timeoutMs: 30_000 });
    // Everything is parked, or done: nothing waits at the broker.
    await eventually(
      async () => {
        const lags = await app.get(KafkaClient).admin.lag(group, [type]);
        expect(lags.map(({ lag }) => lag)).toEqual([0n, 0n, 0n]);
      },
      { timeoutMs: 30_000 },
    );
    first.kill('SIGKILL');
    await first.exit;
    await publish(10, 12);
    const second = await start(type, group);
    await eventually(() => expect(handledBy(second)).toHaveLength(3 * 12 + 2), { timeoutMs: 60_000 });
    for (const key of keys.slice(0, 3))
      expect(handledBy(second).filter(step => step.key === key)).toEqual(
        Array.from({ length: 12 }, (_, at) => ({ key, at })),
      );
  });
});
