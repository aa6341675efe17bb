import { eventually, uniqueName, useKafka } from '@core-infra/testing';
import { MessagingHub } from '../../src/index.js';
import { EventBus } from '../../src/index.js';
import { Orders } from '../../src/testing/orders.js';
import { bootKafka } from './support/boot-kafka.js';
import { driveKafka, SeenSink } from './support/drive-kafka.js';

jest.setTimeout(90_000);

const kafka = useKafka();
const soon = () => AbortSignal.timeout(30_000);
const MIB = 1024 * 1024;

describe('retries that wait for their time', () => {
  it('take no place of what can be handled now, however many they are', async () => {
    const orders = new Orders(uniqueName('waiting'));
    const handled: number[] = [];
    let failed = 0;
    await using app = await bootKafka({
      brokers: kafka.brokers,
      options: {
        group: uniqueName('group'),
        consumers: { maxInFlight: 4 },
        retry: { firstDelayMs: 3_600_000, maxDelayMs: 3_600_000, attempts: 3, maxAgeMs: 100 * 3_600_000 },
      },
      controllers: [
        orders.handler(
          ({ id, at }) => {
            if (id !== 'bad') return void handled.push(at);
            failed += 1;
            throw new Error('not yet');
          },
          { ordered: false },
        ),
      ],
    });
    const bus = app.get(EventBus);
    const some = (id: string, count: number) => Array.from({ length: count }, (_, at) => orders.placed.of({ id, at }));
    await bus.publishBatch(some('bad', 30));
    await eventually(() => expect(failed).toBe(30), { timeoutMs: 30_000 });
    await bus.publishBatch(some('good', 30));
    await eventually(() => expect(handled).toHaveLength(30), { timeoutMs: 30_000 });
    const [member] = app.get<MessagingHub>(MessagingHub as never, { strict: false }).members;
    await eventually(() => expect(member!.state).toMatchObject({ inFlight: 0, pausedBy: [] }));
  });

  it('come when they are due, whichever was sent first; none is committed before one that still waits', async () => {
    await using up = await driveKafka({ brokers: kafka.brokers });
    const topic = uniqueName('due');
    const group = uniqueName('group');
    await up.client.admin.ensureTopics([{ topic, partitions: 1 }]);
    const again = (id: string, notBefore?: number) => ({
      id,
      topic,
      headers: {},
      body: Buffer.from(id),
      attempts: 1,
      firstAttemptAt: 1,
      ...(notBefore !== undefined && { notBefore }),
    });
    const dueAt = Date.now() + 1_500;
    await up.driver.sendToGroup(
      group,
      [again('in an hour', Date.now() + 3_600_000), again('soon', dueAt), again('now')],
      soon(),
    );
    const sink = new SeenSink();
    const request = { group, topics: [topic], queues: [], maxInFlight: 10, maxBytesInFlight: MIB };
    const consumption = await up.driver.consume(request, sink);
    const seenAt = new Map<string, number>();
    sink.onDeliver = messages => {
      for (const message of messages) {
        seenAt.set(message.id, Date.now());
        consumption.settle(message);
      }
    };
    await eventually(() => expect([...seenAt.keys()]).toEqual(['now', 'soon']), { timeoutMs: 30_000 });
    expect(seenAt.get('soon')).toBeGreaterThanOrEqual(dueAt);
    await consumption.stop(soon());
    const lags = await up.client.admin.lag(group, [`${topic}.${group}.retry`]);
    expect(lags.map(({ lag }) => lag)).toEqual([3n]);
  });
});

describe('what is fetched ahead', () => {
  it('is bounded in bytes over all partitions, however large messages are', async () => {
    const partitions = 30;
    const bytes = 900_000;
    const fetchMaxBytes = 2 * MIB;
    const maxBytesInFlight = 4 * MIB;
    await using up = await driveKafka({ brokers: kafka.brokers, consumer: { fetchMaxBytes } });
    const topic = uniqueName('large');
    await up.client.admin.ensureTopics([{ topic, partitions }]);
    for (let partition = 0; partition < partitions; partition += 1)
      await up.client.producer.send({ topic, partition, value: Buffer.alloc(bytes, partition) });
    const sink = new SeenSink();
    const request = { group: uniqueName('group'), topics: [topic], queues: [], maxInFlight: 1, maxBytesInFlight };
    const consumption = await up.driver.consume(request, sink);
    await eventually(
      () => {
        expect(up.client.partitions).toHaveLength(2 * partitions);
        expect(up.client.partitions.filter(({ topic: of }) => of === topic).every(({ isPaused }) => isPaused)).toBe(
          true,
        );
      },
      { timeoutMs: 30_000 },
    );
    // The one in hand, what may wait, and the fetch that made it too much.
    expect(up.client.batches.length * bytes).toBeLessThan(bytes + maxBytesInFlight + fetchMaxBytes + bytes);
    // It goes on by itself, to the last message.
    sink.onDeliver = messages => messages.forEach(message => consumption.settle(message));
    consumption.settle(sink.messages[0]!);
    await eventually(() => expect(sink.messages).toHaveLength(partitions), { timeoutMs: 40_000 });
    await consumption.stop(soon());
  });

  it('is not added to while a pause lasts', async () => {
    await using up = await driveKafka({ brokers: kafka.brokers });
    const topic = uniqueName('paused');
    await up.client.admin.ensureTopics([{ topic, partitions: 1 }]);
    const sink = new SeenSink();
    const request = { group: uniqueName('group'), topics: [topic], queues: [], maxInFlight: 10, maxBytesInFlight: MIB };
    const consumption = await up.driver.consume(request, sink);
    consumption.pause();
    await up.client.producer.send({ topic, value: 'one' });
    const paused = () => up.client.partitions.filter(({ isPaused }) => isPaused).map(({ topic: of }) => of);
    await eventually(() => expect(paused()).toEqual([topic]), { timeoutMs: 30_000 });
    await up.client.producer.send({ topic, value: 'two' });
    expect(up.client.batches).toHaveLength(1);
    expect(sink.messages).toEqual([]);
    consumption.resume();
    await eventually(() => expect(sink.messages.map(({ body }) => String(body))).toEqual(['one', 'two']));
    expect(paused()).toEqual([]);
    await consumption.stop(soon());
  });
});

describe('a member', () => {
  it('tells of trouble for as long as it lasts, and is forgotten when it has stopped', async () => {
    await using up = await driveKafka({ brokers: kafka.brokers });
    const topic = uniqueName('trouble');
    await up.client.admin.ensureTopics([{ topic, partitions: 1 }]);
    const sink = new SeenSink();
    sink.onDeliver = () => {
      delete sink.onDeliver;
      throw new Error('a slip of the bus');
    };
    const request = { group: uniqueName('group'), topics: [topic], queues: [], maxInFlight: 10, maxBytesInFlight: MIB };
    const consumption = await up.driver.consume(request, sink);
    await up.client.producer.send({ topic, value: 'first' });
    await eventually(() => expect(sink.troubles.map(each => each?.message)).toEqual(['a slip of the bus']), {
      timeoutMs: 30_000,
    });
    expect(() => up.driver.check()).toThrow('a slip of the bus');
    await up.client.producer.send({ topic, value: 'second' });
    await eventually(() => expect(sink.troubles.at(-1)).toBeUndefined());
    expect(up.driver.check()).toEqual({ members: 1 });
    await consumption.stop(soon());
    expect(up.driver.check()).toEqual({ members: 0 });
  });
});
