import { eventually, uniqueName, useRabbitmqServer, useToxiproxy } from '@core-infra/testing';
import { EventBus } from '../../src/index.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';
import { distinct, handlerOf, inversions, type Step, stepsOf } from './fixtures/steps.js';

jest.setTimeout(90_000);

const keys = 20;
const server = useRabbitmqServer();
const proxy = useToxiproxy(() => server.url);

async function load(url: string) {
  const steps = stepsOf(uniqueName('steps'));
  const begun: Step[] = [];
  const handler = handlerOf(steps, async step => {
    begun.push(step);
    await new Promise(resolve => setTimeout(resolve, 1));
  });
  const app = await bootRabbitmq(url, { group: steps.type, publishTimeoutMs: 60_000 }, [handler]);
  const bus = app.get(EventBus);
  let at = 0;
  return {
    begun,
    /** One more of each key. */
    publish: (): Promise<void> => {
      const next = at++;
      return bus.publishBatch(Array.from({ length: keys }, (_, key) => steps.of({ key: `key-${key}`, at: next })));
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

describe('a broker that fails', () => {
  it('is killed and comes back under load: nothing is lost, and each key keeps its order', async () => {
    await using loaded = await load(server.url);
    await server.settled();
    const { begun, publish } = loaded;
    let isOver = false;
    let rounds = 0;
    const publishing = (async () => {
      for (; !isOver || rounds < 100; rounds += 1) await publish();
    })();
    await eventually(() => expect(begun.length).toBeGreaterThan(200));
    await server.kill();
    await server.start();
    const before = begun.length;
    await eventually(() => expect(begun.length).toBeGreaterThan(before + 200), { timeoutMs: 30_000 });
    isOver = true;
    await publishing;
    await eventually(() => expect(distinct(begun)).toBe(rounds * keys), { timeoutMs: 30_000 });
    expect(inversions(begun)).toEqual([]);
  });

  it('is cut off again and again: the same', async () => {
    await using loaded = await load(proxy.url);
    const { begun, publish } = loaded;
    const rounds = 120;
    const publishing = (async () => {
      for (let round = 0; round < rounds; round += 1) await publish();
    })();
    for (let times = 1; times <= 3; times += 1) {
      const before = begun.length;
      await eventually(() => expect(begun.length).toBeGreaterThan(Math.min(before + 100, rounds * keys - 1)));
      await proxy.resetPeer();
      await proxy.heal();
    }
    await publishing;
    await eventually(() => expect(distinct(begun)).toBe(rounds * keys), { timeoutMs: 30_000 });
    expect(inversions(begun)).toEqual([]);
  });
});
