import { type CheckResult, Connections } from '@core-infra/kernel';
import { KafkaClient, KafkaModule, type KafkaOptions } from '@core-infra/kafka';
import { bootInfra, eventually, uniqueName, useKafka, useKafkaCluster, useKafkaServer } from '@core-infra/testing';
import { collect } from '../fixtures/collecting.js';

jest.setTimeout(120_000);

const boot = async (options: KafkaOptions) => {
  const app = await bootInfra(KafkaModule.forRoot({ startup: 'require', ...options }));
  const check = (name: string): Promise<CheckResult | void> => {
    const checks = app.get(Connections).checks();
    const found = checks.find(each => each.name === name);
    if (!found) throw new Error(`only ${checks.map(each => each.name).join(', ')}`);
    return found.run();
  };
  return { client: app.get(KafkaClient), check, app, [Symbol.asyncDispose]: () => app.close() };
};

describe('health', () => {
  const kafka = useKafka();

  it('has a check for the connection, one for writing and one for reading, under a name that can be set', async () => {
    await using up = await boot({ brokers: kafka.brokers });
    const names = (of: typeof up) =>
      of.app
        .get(Connections)
        .checks()
        .map(({ name }) => name);
    expect(names(up)).toEqual(['kafka', 'kafka-producer', 'kafka-consumer']);
    await using other = await boot({ brokers: kafka.brokers, healthName: 'events' });
    expect(names(other)).toEqual(['events', 'events-producer', 'events-consumer']);
  });

  it('tells the brokers, and who leads', async () => {
    await using up = await boot({ brokers: kafka.brokers });
    expect(await up.check('kafka')).toEqual({
      latencyMs: expect.any(Number) as number,
      clusterId: expect.any(String) as string,
      controller: expect.any(Number) as number,
      brokers: [{ id: 1, address: kafka.brokers[0] }],
    });
  });

  it('fails for a topic that should be there, by its name', async () => {
    const topic = uniqueName('needed');
    await using up = await boot({ brokers: kafka.brokers, health: { topics: [topic] } });
    await expect(up.check('kafka-producer')).rejects.toMatchObject({ code: 'INFRA_KAFKA_UNKNOWN_TOPIC', topic });
    await up.client.admin.ensureTopics([{ topic }]);
    expect(await up.check('kafka-producer')).toEqual({ topics: 1, pending: 0, bufferedBytes: 0 });
  });

  it('degrades when a group is behind', async () => {
    await using up = await boot({ brokers: kafka.brokers, health: { maxLag: 3 } });
    const topic = uniqueName('behind');
    const group = uniqueName('slow');
    await up.client.admin.ensureTopics([{ topic, partitions: 1 }]);
    await up.client.producer.sendBatch(Array.from({ length: 5 }, () => ({ topic, value: 'x' })));
    const { member } = collect(up.client, group, [topic], { records: () => undefined });
    await member.joined;
    expect(await up.check('kafka-consumer')).toEqual({
      groups: [{ group, partitions: 1, lag: 5 }],
      degraded: `the group "${group}" is 5 messages behind, more than 3`,
    });
    await member.partitions[0]!.commit(4n);
    expect(await up.check('kafka-consumer')).toEqual({ groups: [{ group, partitions: 1, lag: 1 }] });
  });
});

describe('health of a broker that goes', () => {
  const server = useKafkaServer();

  it('fails with the reason, and comes back', async () => {
    await using up = await boot({ brokers: server.brokers, requestTimeoutMs: 1_000, retry: { maxDelayMs: 200 } });
    await server.stop();
    await expect(up.check('kafka')).rejects.toMatchObject({ code: 'INFRA_KAFKA_UNREACHABLE' });
    await server.start();
    await eventually(() => up.check('kafka'));
  });
});

describe('a cluster that loses a broker', () => {
  const cluster = useKafkaCluster({ brokers: 3 });

  it('goes on with the copies: nothing is lost or doubled, and health says what is missing', async () => {
    await using up = await boot({
      brokers: cluster.brokers,
      requestTimeoutMs: 2_000,
      retry: { maxDelayMs: 300 },
      deliveryTimeoutMs: 60_000,
      // Longer than anything here is waited for: a member that could not leave must not be waited for either.
      consumer: { heartbeatIntervalMs: 300, fetchMaxWaitMs: 50, sessionTimeoutMs: 90_000 },
    });
    const topic = uniqueName('copied');
    await up.client.admin.ensureTopics([{ topic, partitions: 3, replicationFactor: 3 }]);
    const { seen, member } = collect(up.client, uniqueName('readers'), [topic]);
    await member.joined;
    const send = (from: number) =>
      Promise.all(
        Array.from({ length: 300 }, (_, n) =>
          up.client.producer.send({ topic, key: `key-${n % 6}`, value: String(from + n) }),
        ),
      );
    await send(0);
    const during = send(300);
    const killed = await cluster.killLeader(topic, 0);
    await during;
    await cluster.settled();
    await send(600);
    await eventually(() => expect(new Set(seen.map(({ value }) => String(value))).size).toBe(900), {
      timeoutMs: 40_000,
    });
    for (let key = 0; key < 6; key += 1) {
      const own = seen.filter(message => String(message.key) === `key-${key}`);
      const log = [...new Map(own.map(message => [message.offset, Number(message.value)])).entries()]
        .toSorted(([one], [other]) => Number(one - other))
        .map(([, value]) => value);
      expect(log).toEqual(Array.from({ length: 150 }, (_, n) => n * 6 + key));
    }
    expect(await up.check('kafka-producer')).toMatchObject({
      degraded: expect.stringMatching(/has 2 of 3 copies/) as string,
    });
    await cluster.start(killed);
    await eventually(async () => expect(await up.check('kafka-producer')).not.toHaveProperty('degraded'), {
      timeoutMs: 40_000,
    });
  });
});
