import { KafkaClient } from '@core-infra/kafka';
import { eventually, uniqueName, useKafka } from '@core-infra/testing';
import { EventBus, MessagingHub } from '../../src/index.js';
import { Orders } from '../../src/testing/orders.js';
import { inversions, nameOf, type Step } from './fixtures/steps.js';
import { bootKafka } from './support/boot-kafka.js';

jest.setTimeout(120_000);

describe('members that come and go under load', () => {
  const kafka = useKafka();

  it('lose nothing, keep the order of each key, and repeat nothing that was settled', async () => {
    const orders = new Orders(uniqueName('load'));
    const group = uniqueName('group');
    const handled: Step[] = [];
    const join = () =>
      bootKafka({
        brokers: kafka.brokers,
        options: { group },
        controllers: [
          orders.handler(async ({ id, at }) => {
            await new Promise(resolve => setTimeout(resolve, 1));
            handled.push({ key: id, at });
          }),
        ],
      });
    await using first = await join();
    const bus = first.get(EventBus);
    const total = 4_000;
    const publishing = (async () => {
      for (let from = 0; from < total; from += 40) {
        await bus.publishBatch(
          Array.from({ length: 40 }, (_, key) => orders.placed.of({ id: `key-${key}`, at: from / 40 })),
        );
        await new Promise(resolve => setTimeout(resolve, 60));
      }
    })();
    for (let round = 0; round < 3; round += 1) {
      await using second = await join();
      const [member] = second.get<MessagingHub>(MessagingHub as never, { strict: false }).members;
      await eventually(() => expect(member!.state.partitions).toBeGreaterThan(0));
      const before = handled.length;
      await eventually(() => expect(handled.length).toBeGreaterThan(before + 50));
      await second.close();
    }
    await publishing;
    await eventually(() => expect(new Set(handled.map(nameOf)).size).toBe(total), { timeoutMs: 60_000 });
    expect(inversions(handled)).toEqual([]);
    // Members that leave in order end and commit what they have in hand.
    expect(handled).toHaveLength(total);
    await eventually(async () => {
      const lags = await first.get(KafkaClient).admin.lag(group, [orders.placed.type]);
      expect(lags.map(({ lag }) => lag)).toEqual([0n, 0n, 0n]);
    });
  });
});
