import { KafkaClient } from '@core-infra/kafka';
import { eventually, uniqueName, useKafkaServer } from '@core-infra/testing';
import { EventBus, MessagingHub } from '../../src/index.js';
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

describe('a message that is too large to be put back', () => {
  const kafka = useKafkaServer();

  it('is tried again all the same, becomes a dead letter, and holds up nothing', async () => {
    const orders = new Orders(uniqueName('large'));
    const { type } = orders.placed;
    const group = uniqueName('group');
    const tries: number[] = [];
    const seen: string[] = [];
    await using writer = await bootKafka({
      brokers: kafka.brokers,
      options: { maxMessageBytes: 20_000_000 },
      kafka: { maxMessageBytes: 20_000_000 },
    });
    const client = writer.get(KafkaClient);
    await client.admin.ensureTopics([{ topic: type, partitions: 1, config: { 'max.message.bytes': '20000000' } }]);
    await using app = await bootKafka({
      brokers: kafka.brokers,
      options: {
        group,
        consumers: { maxMessageBytes: 20_000_000 },
        retry: { firstDelayMs: 20, maxDelayMs: 20, attempts: 3 },
      },
      controllers: [
        orders.handler(
          ({ id }, { attempt }) => {
            if (id.length < 100) return void seen.push(id);
            tries.push(attempt);
            throw new Error('never');
          },
          { ordered: false },
        ),
      ],
    });
    await writer.get(EventBus).publish(orders.placed.of({ id: 'x'.repeat(10_000_000), at: 0 }, { key: 'large' }));
    await writer.get(EventBus).publish(orders.placed.of({ id: 'small', at: 1 }));
    await eventually(() => expect(tries).toEqual([1, 2, 3]), { timeoutMs: 30_000 });
    expect(seen).toEqual(['small']);
    const { deadLetters } = app.get<MessagingHub>(MessagingHub as never, { strict: false });
    await eventually(async () => {
      const [letter] = await deadLetters.list({ group }, { limit: 2 }, AbortSignal.timeout(10_000));
      expect(letter!.message.body.length).toBeGreaterThan(10_000_000);
    });
    await eventually(async () => {
      const lags = await client.admin.lag(group, [type]);
      expect(lags.map(({ lag }) => lag)).toEqual([0n]);
    });
  });
});
