import { KafkaClient, KafkaModule } from '@core-infra/kafka';
import { bootInfra, uniqueName, useKafka } from '@core-infra/testing';

jest.setTimeout(60_000);

describe('without a group', () => {
  const kafka = useKafka();
  const boot = async (options = {}) => {
    const app = await bootInfra(KafkaModule.forRoot({ brokers: kafka.brokers, startup: 'require', ...options }));
    return { client: app.get(KafkaClient), [Symbol.asyncDispose]: () => app.close() };
  };
  const valuesOf = async (client: KafkaClient, topic: string, from: bigint, to: bigint) => {
    const values: string[] = [];
    for await (const messages of client.reader.read(topic, 0, { from, to }))
      values.push(...messages.map(({ value }) => String(value)));
    return values;
  };

  it('reads a partition from one offset up to another', async () => {
    await using one = await boot({ consumer: { fetchMaxBytesPerPartition: 1_024 } });
    const topic = uniqueName('log');
    await one.client.admin.ensureTopics([{ topic, partitions: 1 }]);
    const all = Array.from({ length: 500 }, (_, at) => `value-${at}-${'x'.repeat(100)}`);
    await one.client.producer.sendBatch(all.map(value => ({ topic, value })));
    expect(await one.client.reader.bounds(topic)).toEqual([{ partition: 0, start: 0n, end: 500n }]);
    expect(await valuesOf(one.client, topic, 0n, 500n)).toEqual(all);
    expect(await valuesOf(one.client, topic, 120n, 340n)).toEqual(all.slice(120, 340));
    expect(await valuesOf(one.client, topic, 5n, 5n)).toEqual([]);
  });

  it('reads records with tens of thousands of headers, and with names that every object has', async () => {
    await using one = await boot();
    const topic = uniqueName('log');
    await one.client.admin.ensureTopics([{ topic, partitions: 1 }]);
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`x-${at}`, `${at}`]));
    const odd = JSON.parse('{"__proto__":"x","constructor":"y","toString":"z"}') as Record<string, string>;
    await one.client.producer.sendBatch(
      [many, odd, { twice: ['a', 'b', 'c'] }].map(headers => ({ topic, value: 'v', headers })),
    );
    const read: [string, string][][] = [];
    for await (const messages of one.client.reader.read(topic, 0, { from: 0n, to: 3n }))
      for (const { headers } of messages)
        read.push(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
    expect(read).toEqual([Object.entries(many), Object.entries(odd), [['twice', 'a,b,c']]]);
  });

  it('begins after what was deleted, and says that a topic does not exist', async () => {
    await using one = await boot();
    const topic = uniqueName('log');
    await one.client.admin.ensureTopics([{ topic, partitions: 1 }]);
    await one.client.producer.sendBatch(['a', 'b', 'c'].map(value => ({ topic, value })));
    await one.client.admin.deleteRecords(topic, new Map([[0, 2n]]));
    expect(await one.client.reader.bounds(topic)).toEqual([{ partition: 0, start: 2n, end: 3n }]);
    expect(await valuesOf(one.client, topic, 2n, 3n)).toEqual(['c']);
    await expect(valuesOf(one.client, uniqueName('none'), 0n, 1n)).rejects.toMatchObject({
      code: 'INFRA_KAFKA_UNKNOWN_TOPIC',
    });
  });

  it('writes no record of a key after one that was not written', async () => {
    await using one = await boot({ maxMessageBytes: 2_000 });
    const topic = uniqueName('log');
    await one.client.admin.ensureTopics([{ topic, partitions: 1, config: { 'max.message.bytes': '1500' } }]);
    const record = (key: string, value: string) => ({ topic, key, value });
    const large = 'x'.repeat(3_000); // refused here
    const larger = 'y'.repeat(1_700); // refused by the broker
    const records = [
      record('a', 'a0'),
      record('a', large),
      record('a', 'a2'),
      record('b', 'b0'),
      record('b', larger),
      record('b', 'b2'),
      record('c', 'c0'),
    ];
    const results = await one.client.producer.sendBatch(records, { keepKeyOrder: true });
    const { end } = (await one.client.reader.bounds(topic))[0]!;
    const written = await valuesOf(one.client, topic, 0n, end);
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, false, false, true, false, false, true]);
    expect(written).toEqual(['a0', 'b0', 'c0']);
  });
});
