import { eventually, uniqueName, useKafkaServer } from '@core-infra/testing';
import { EventBus } from '../../src/index.js';
import { Orders } from '../../src/testing/orders.js';
import { inversions, nameOf, type Step } from './fixtures/steps.js';
import { bootKafka } from './support/boot-kafka.js';

jest.setTimeout(150_000);

describe('a broker that crashes under load', () => {
  const kafka = useKafkaServer();

  it('loses nothing, and no key its order; publishing and handling go on when it is back', async () => {
    const orders = new Orders(uniqueName('crash'));
    const handled: Step[] = [];
    await using app = await bootKafka({
      brokers: kafka.brokers,
      options: { group: uniqueName('group'), publishTimeoutMs: 60_000 },
      kafka: {
        requestTimeoutMs: 2_000,
        deliveryTimeoutMs: 60_000,
        consumer: { fetchMaxWaitMs: 50, sessionTimeoutMs: 6_000 },
      },
      controllers: [orders.handler(({ id, at }) => void handled.push({ key: id, at }))],
    });
    const bus = app.get(EventBus);
    const keys = 20;
    const rounds = 60;
    const publishing = (async () => {
      for (let at = 0; at < rounds; at += 1) {
        await bus.publishBatch(Array.from({ length: keys }, (_, key) => orders.placed.of({ id: `key-${key}`, at })));
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    })();
    await eventually(() => expect(handled.length).toBeGreaterThan(100), { timeoutMs: 30_000 });
    await kafka.kill('SIGKILL');
    await kafka.start();
    await publishing;
    await eventually(() => expect(new Set(handled.map(nameOf)).size).toBe(keys * rounds), { timeoutMs: 60_000 });
    expect(inversions(handled)).toEqual([]);
  });
});
