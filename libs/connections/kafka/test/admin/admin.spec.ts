import { Kafka, KafkaClient, KafkaModule } from '@core-infra/kafka';
import { operations } from '@core-infra/kernel';
import { bootInfra, eventually, type InfraApp, uniqueName, useKafka } from '@core-infra/testing';
import { collect } from '../fixtures/collecting.js';

jest.setTimeout(60_000);

describe('administration', () => {
  const kafka = useKafka();
  let app: InfraApp;
  let client: KafkaClient;
  beforeAll(async () => {
    app = await bootInfra(KafkaModule.forRoot({ brokers: kafka.brokers, startup: 'require' }));
    client = app.get(KafkaClient);
  });
  afterAll(() => app.close());

  it('creates what is missing and reports what differs, without changing it', async () => {
    const [missing, other] = [uniqueName('missing'), uniqueName('other')];
    const wanted = { topic: other, partitions: 2, config: { 'cleanup.policy': 'compact', 'retention.ms': '1000' } };
    expect(await client.admin.ensureTopics([wanted])).toEqual([{ topic: other, state: 'created', differences: [] }]);
    expect(await client.admin.ensureTopics([wanted])).toEqual([{ topic: other, state: 'present', differences: [] }]);
    expect(
      await client.admin.ensureTopics([
        { topic: missing, partitions: 1 },
        { topic: other, partitions: 4, replicationFactor: 3, config: { 'cleanup.policy': 'delete' } },
      ]),
    ).toEqual([
      { topic: missing, state: 'created', differences: [] },
      {
        topic: other,
        state: 'differs',
        differences: [
          { what: 'partitions', wanted: '4', found: '2' },
          { what: 'replicationFactor', wanted: '3', found: '1' },
          { what: 'cleanup.policy', wanted: 'delete', found: 'compact' },
        ],
      },
    ]);
    expect(await client.admin.describe([other])).toEqual([
      {
        topic: other,
        partitions: [0, 1].map(partition => ({ partition, leader: 1, replicas: [1], inSync: [1] })),
        config: { 'cleanup.policy': 'compact', 'retention.ms': '1000' },
      },
    ]);
    expect(await client.admin.topics()).toEqual(expect.arrayContaining([missing, other]));
    await client.admin.deleteTopics([missing]);
    expect(await client.admin.topics()).not.toContain(missing);
    await expect(client.admin.describe([missing])).rejects.toMatchObject({ code: 'INFRA_KAFKA_UNKNOWN_TOPIC' });
  });

  it('tells how far a group is behind, and removes records', async () => {
    const topic = uniqueName('counted');
    const group = uniqueName('group');
    await client.admin.ensureTopics([{ topic, partitions: 2 }]);
    for (const partition of [0, 0, 0, 1]) await client.producer.send({ topic, partition, value: 'x' });
    expect(await client.admin.lag(group, [topic])).toEqual([
      { topic, partition: 0, committed: undefined, end: 3n, lag: 3n },
      { topic, partition: 1, committed: undefined, end: 1n, lag: 1n },
    ]);
    const { member } = collect(client, group, [topic], { records: () => undefined });
    await member.joined;
    await member.partitions.find(({ partition }) => partition === 0)!.commit(2n);
    await member.close();
    expect(await client.admin.lag(group)).toEqual([{ topic, partition: 0, committed: 2n, end: 3n, lag: 1n }]);
    await client.admin.deleteRecords(topic, new Map([[0, 3n]]));
    const { seen, member: reader } = collect(client, uniqueName('late'), [topic]);
    await reader.joined;
    await client.producer.send({ topic, partition: 0, value: 'new' });
    await eventually(() => expect(seen).toHaveLength(2));
    const at = (partition: number) =>
      seen.filter(message => message.partition === partition).map(({ offset }) => offset);
    expect([at(0), at(1)]).toEqual([[3n], [0n]]);
  });

  it('hands out kafkajs itself', () => {
    expect(app.get(Kafka)).toBe(client.native);
    expect(app.get(Kafka)).toBeInstanceOf(Kafka);
  });

  it('reports each call on the channel of operations, by topic and never by key', async () => {
    const topic = uniqueName('traced');
    await client.admin.ensureTopics([{ topic, partitions: 1 }]);
    const told: unknown[] = [];
    const subscriber = { start: (operation: object) => void told.push({ ...operation }) };
    operations('kafka').subscribe(subscriber as never);
    await client.producer.send({ topic, key: 'secret-key', value: 'x' });
    operations('kafka').unsubscribe(subscriber as never);
    expect(told).toContainEqual({ component: 'kafka', connection: 'kafka', operation: 'produce', resource: topic });
    expect(JSON.stringify(told)).not.toContain('secret-key');
  });
});
