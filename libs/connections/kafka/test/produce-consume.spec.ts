import { KafkaClient, kafkaEvents, type KafkaEvent, KafkaModule, type KafkaOptions } from '@core-infra/kafka';
import { bootInfra, eventually, uniqueName, useKafka } from '@core-infra/testing';
import { Kafka, Partitioners } from 'kafkajs';
import { collect, committed } from './fixtures/collecting.js';

jest.setTimeout(60_000);

describe('records', () => {
  const kafka = useKafka();
  const boot = async (options: KafkaOptions = {}) => {
    const app = await bootInfra(KafkaModule.forRoot({ brokers: kafka.brokers, startup: 'require', ...options }));
    return { app, client: app.get(KafkaClient), [Symbol.asyncDispose]: () => app.close() };
  };
  const topicOf = async (client: KafkaClient, partitions = 1) => {
    const topic = uniqueName('orders');
    await client.admin.ensureTopics([{ topic, partitions }]);
    return topic;
  };

  it('go and come as bytes, with headers and a time, and tell where they are', async () => {
    await using up = await boot();
    const topic = await topicOf(up.client);
    const delivery = await up.client.producer.send({
      topic,
      key: Buffer.from([0, 255]),
      value: Buffer.from([1, 2, 254]),
      headers: { one: 'a', raw: Buffer.from([9, 200]) },
      timestamp: 1_700_000_000_000,
    });
    expect(delivery).toEqual({ topic, partition: 0, offset: 0n });
    expect(await up.client.producer.send({ topic, value: null, key: 'gone' })).toMatchObject({ offset: 1n });
    const { seen } = collect(up.client, uniqueName('readers'), [topic]);
    await eventually(() => expect(seen).toHaveLength(2));
    expect(seen[0]).toEqual({
      topic,
      partition: 0,
      offset: 0n,
      key: Buffer.from([0, 255]),
      value: Buffer.from([1, 2, 254]),
      headers: { one: Buffer.from('a'), raw: Buffer.from([9, 200]) },
      timestamp: 1_700_000_000_000,
    });
    expect(seen[1]).toMatchObject({ key: Buffer.from('gone'), value: null });
  });

  it('are sent in batches, stay in order within their key, and go where Java sends them', async () => {
    const events: KafkaEvent[] = [];
    const note = (event: unknown) => void events.push(event as KafkaEvent);
    kafkaEvents.subscribe(note);
    await using up = await boot({ batchSize: 50 });
    const topic = await topicOf(up.client, 4);
    const records = Array.from({ length: 1_000 }, (_, n) => ({ topic, key: `key-${n % 20}`, value: String(n) }));
    const outcomes = await up.client.producer.sendBatch(records);
    kafkaEvents.unsubscribe(note);
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    const produced = events.filter(event => event.kind === 'produced' && event.topic === topic);
    expect(produced.reduce((sum, event) => sum + ('records' in event ? event.records : 0), 0)).toBe(1_000);
    expect(produced.length).toBeLessThan(40);
    const { seen } = collect(up.client, uniqueName('readers'), [topic]);
    await eventually(() => expect(seen).toHaveLength(1_000));
    const choose = Partitioners.DefaultPartitioner();
    const partitionMetadata = [0, 1, 2, 3].map(partitionId => ({ partitionId, leader: 1 })) as never;
    for (let n = 0; n < 20; n += 1) {
      const own = seen.filter(({ key }) => String(key) === `key-${n}`);
      expect(own.map(({ value }) => Number(value))).toEqual(Array.from({ length: 50 }, (_, round) => round * 20 + n));
      const wanted = choose({ topic, partitionMetadata, message: { key: `key-${n}`, value: '' } });
      expect([...new Set(own.map(({ partition }) => partition))]).toEqual([wanted]);
    }
  });

  it.each(['gzip', 'zstd', 'snappy'] as const)('can be compressed: %s', async compression => {
    await using up = await boot({ compression });
    const topic = await topicOf(up.client);
    await up.client.producer.send({ topic, value: 'x'.repeat(10_000) });
    const { seen } = collect(up.client, uniqueName('readers'), [topic]);
    await eventually(() => expect(String(seen[0]?.value)).toBe('x'.repeat(10_000)));
  });

  it.each([
    ['leader', 0n],
    ['none', undefined],
  ] as const)('are acknowledged by: %s', async (acks, offset) => {
    await using up = await boot({ acks, idempotent: false });
    const topic = await topicOf(up.client);
    expect(await up.client.producer.send({ topic, value: 'x' })).toEqual({ topic, partition: 0, offset });
    const { seen } = collect(up.client, uniqueName('readers'), [topic]);
    await eventually(() => expect(seen.map(({ value }) => String(value))).toEqual(['x']));
  });

  it('wait for company as long as `lingerMs` says, until there are enough of them or all are to go', async () => {
    const sizes: number[] = [];
    await using up = await boot({ lingerMs: 60_000, batchSize: 3 });
    const topic = await topicOf(up.client);
    const note = (event: unknown) => {
      const produced = event as KafkaEvent;
      if (produced.kind === 'produced' && produced.topic === topic) sizes.push(produced.records);
    };
    kafkaEvents.subscribe(note);
    const sent: Promise<unknown>[] = [];
    for (let n = 0; n < 4; n += 1) {
      sent.push(up.client.producer.send({ topic, value: String(n) }));
      await new Promise(resolve => setImmediate(resolve));
    }
    await Promise.all(sent.slice(0, 3));
    expect(up.client.producer.pending).toBe(1);
    await up.client.producer.flush();
    kafkaEvents.unsubscribe(note);
    expect(sizes).toEqual([3, 1]);
    await sent[3];
  });

  it('that are too large are refused here, or by the topic, which takes the others of the batch', async () => {
    await using up = await boot({ lingerMs: 20 });
    const topic = uniqueName('small');
    await up.client.admin.ensureTopics([{ topic, partitions: 1, config: { 'max.message.bytes': '20000' } }]);
    await expect(up.client.producer.send({ topic, value: Buffer.alloc(2_000_000) })).rejects.toMatchObject({
      code: 'INFRA_KAFKA_OVERSIZE',
      limit: 1_000_000,
    });
    const values = [5_000, 30_000, 6_000, 9_000, 9_000, 7_000];
    const outcomes = await up.client.producer.sendBatch(values.map(size => ({ topic, value: Buffer.alloc(size) })));
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, true, true, true]);
    expect(outcomes[1]).toMatchObject({
      reason: { code: 'INFRA_KAFKA_OVERSIZE', topic, bytes: 30_024, limit: 20_000 },
    });
    const { seen } = collect(up.client, uniqueName('readers'), [topic]);
    await eventually(() => expect(seen.map(({ value }) => value?.length)).toEqual([5_000, 6_000, 9_000, 9_000, 7_000]));
  });

  it('for a topic that is not there are refused within seconds, by its name', async () => {
    await using up = await boot();
    const topic = uniqueName('nowhere');
    const began = performance.now();
    await expect(up.client.producer.send({ topic, value: 'x' })).rejects.toMatchObject({
      code: 'INFRA_KAFKA_UNKNOWN_TOPIC',
      topic,
    });
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('are given up by a signal, and refused when the buffer is full', async () => {
    await using up = await boot({ maxBufferedBytes: 4_096, lingerMs: 1_000 });
    const topic = await topicOf(up.client);
    const given = new AbortController();
    const sent = up.client.producer.send({ topic, value: Buffer.alloc(3_000) }, { signal: given.signal });
    await expect(up.client.producer.send({ topic, value: Buffer.alloc(3_000) })).rejects.toMatchObject({
      code: 'INFRA_KAFKA_BUFFER_FULL',
    });
    given.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
    expect(up.client.producer.pending).toBe(0);
    expect(await up.client.producer.send({ topic, value: 'after' })).toMatchObject({ offset: 0n });
  });

  it('may be written by producers of kafkajs’s own beside it', async () => {
    await using up = await boot();
    const topic = await topicOf(up.client);
    await up.client.producer.send({ topic, value: 'ours' });
    const theirs = up.app.get(Kafka).producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true });
    await theirs.connect();
    try {
      for (const value of ['theirs', 'too'])
        await theirs.send({ topic, messages: [{ value, headers: { one: 'a' } }, { value: `${value}, once more` }] });
    } finally {
      await theirs.disconnect();
    }
    const { seen } = collect(up.client, uniqueName('readers'), [topic]);
    await eventually(() => expect(seen).toHaveLength(5));
    expect(seen.map(({ value }) => String(value))).toEqual([
      'ours',
      'theirs',
      'theirs, once more',
      'too',
      'too, once more',
    ]);
  });

  it('of transactions are read when these are committed, and among others', async () => {
    await using up = await boot();
    const topic = await topicOf(up.client);
    const producer = up.app.get(Kafka).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionalId: uniqueName('writer'),
    });
    await producer.connect();
    const transact = async (value: string, isKept: boolean) => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value, headers: { one: 'a' } }] });
      await (isKept ? transaction.commit() : transaction.abort());
    };
    try {
      await transact('dropped', false);
      await up.client.producer.send({ topic, value: 'plain' });
      await transact('kept', true);
    } finally {
      await producer.disconnect();
    }
    const { seen } = collect(up.client, uniqueName('readers'), [topic]);
    await up.client.producer.send({ topic, value: 'last' });
    await eventually(() => expect(seen.map(({ value }) => String(value))).toEqual(['plain', 'kept', 'last']));
    expect(seen[1]!.headers).toEqual({ one: Buffer.from('a') });
  });

  it('are read on from what was committed', async () => {
    await using up = await boot();
    const topic = await topicOf(up.client);
    const group = uniqueName('readers');
    for (const value of ['a', 'b', 'c']) await up.client.producer.send({ topic, value });
    const first = collect(up.client, group, [topic], {
      records: ({ partition }) => void partition.commit(2n, 'note').catch(() => undefined),
    });
    await eventually(async () => expect(await committed(up.client, group, topic)).toEqual([2n]));
    await first.member.close();
    const second = collect(up.client, group, [topic]);
    await eventually(() => expect(second.seen.map(({ value }) => String(value))).toEqual(['c']));
  });

  it('wait while their partition is paused, and others do not', async () => {
    await using up = await boot();
    const topic = await topicOf(up.client, 2);
    const { seen, member } = collect(up.client, uniqueName('readers'), [topic], {
      assigned: partitions => partitions.find(({ partition }) => partition === 0)?.pause(),
    });
    await up.client.producer.send({ topic, partition: 0, value: 'held' });
    await up.client.producer.send({ topic, partition: 1, value: 'flows' });
    await eventually(() => expect(seen.map(({ value }) => String(value))).toEqual(['flows']));
    const held = member.partitions.find(({ partition }) => partition === 0)!;
    expect(held.isPaused).toBe(true);
    held.resume();
    await eventually(() => expect(seen.map(({ value }) => String(value))).toEqual(['flows', 'held']));
  });

  it('are told of when they cannot be taken over, and reading goes on', async () => {
    await using up = await boot();
    const topic = await topicOf(up.client);
    const told: unknown[] = [];
    const seen: string[] = [];
    collect(up.client, uniqueName('readers'), [topic], {
      records: ({ messages }) => {
        seen.push(...messages.map(({ value }) => String(value)));
        return Promise.reject(new Error('not today'));
      },
      failed: error => void told.push(error),
    });
    await up.client.producer.send({ topic, value: 'a' });
    await eventually(() => expect(told).toEqual([new Error('not today')]));
    await up.client.producer.send({ topic, value: 'b' });
    await eventually(() => expect(seen).toEqual(['a', 'b']));
  });
});
