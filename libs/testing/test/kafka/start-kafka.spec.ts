import { eventually, startKafka, uniqueName, useKafka, useKafkaServer } from '@core-infra/testing';
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';
import { withKafkaAdmin } from '../../src/kafka/kafka.admin.js';

const SLOW = 60_000;

/** Writes a record with these settings; rejects with what the broker says. */
async function write(settings: Partial<KafkaConfig> & { brokers: string[] }, topic: string): Promise<void> {
  const kafka = new Kafka({ logLevel: logLevel.NOTHING, retry: { retries: 0 }, ...settings });
  const producer = kafka.producer();
  try {
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'written' }] });
  } finally {
    await producer.disconnect();
  }
}

const create = (port: number, topic: string) =>
  withKafkaAdmin(port, admin => admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true }));
const end = (port: number, topic: string) =>
  withKafkaAdmin(port, async admin => (await admin.fetchTopicOffsets(topic))[0]?.offset);
const portOf = ([broker = '']: readonly string[]) => Number(broker.split(':')[1]);

describe('useKafka', () => {
  const first = useKafka();
  const second = useKafka();

  it('is one broker for all who ask in a run, and creates no topic by itself', async () => {
    const topic = uniqueName('shared');
    await expect(write({ brokers: first.brokers }, topic)).rejects.toThrow('does not host this topic-partition');
    await create(portOf(first.brokers), topic);
    await write({ brokers: first.brokers }, topic);
    expect(await end(portOf(second.brokers), topic)).toBe('1');
  });
});

describe('useKafkaServer', () => {
  const server = useKafkaServer({ properties: { 'message.max.bytes': '123456' } });

  it('takes properties', async () => {
    const { resources } = await withKafkaAdmin(server.port, admin =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 4, name: '1', configNames: ['message.max.bytes'] }],
      }),
    );
    expect(resources[0]?.configEntries[0]).toMatchObject({ configName: 'message.max.bytes', configValue: '123456' });
  });

  it(
    'is killed, and comes back at the same address with its data',
    async () => {
      const topic = uniqueName('kept');
      await create(server.port, topic);
      await write({ brokers: server.brokers }, topic);
      await server.kill();
      await expect(write({ brokers: server.brokers }, topic)).rejects.toThrow('ECONNREFUSED');
      await server.start();
      await eventually(async () => expect(await end(server.port, topic)).toBe('1'));
      await server.restart();
      await eventually(async () => expect(await end(server.port, topic)).toBe('1'));
    },
    SLOW,
  );
});

describe('startKafka', () => {
  it(
    'asks for a password over TLS, and lets accounts do what they may',
    async () => {
      const topic = uniqueName('guarded');
      await using server = await startKafka({
        sasl: ['SCRAM-SHA-256', 'PLAIN'],
        tls: true,
        acl: true,
        users: [
          {
            name: 'alice',
            password: 'alice-secret',
            allow: [{ topic: 'guarded*', operations: ['WRITE', 'DESCRIBE'] }],
          },
          { name: 'bob', password: 'bob-secret' },
        ],
      });
      await create(portOf(server.adminBrokers), topic);
      const as = (username: string, password: string, mechanism: 'plain' | 'scram-sha-256' = 'scram-sha-256') =>
        write(
          { brokers: server.brokers, ssl: { ca: server.tls?.ca }, sasl: { mechanism, username, password } as never },
          topic,
        );
      await as('alice', 'alice-secret');
      await as('alice', 'alice-secret', 'plain');
      await expect(as('alice', 'wrong')).rejects.toThrow(/Authentication failed/);
      await expect(as('bob', 'bob-secret')).rejects.toThrow(/Not authorized/);
      await expect(write({ brokers: server.brokers }, topic)).rejects.toThrow();
      expect(await end(portOf(server.adminBrokers), topic)).toBe('2');
    },
    SLOW,
  );

  it(
    'demands a certificate of its clients',
    async () => {
      const topic = uniqueName('certified');
      await using server = await startKafka({ tls: { clientCertificate: 'required' } });
      await create(portOf(server.adminBrokers), topic);
      await write({ brokers: server.brokers, ssl: { ...server.tls } }, topic);
      await expect(write({ brokers: server.brokers, ssl: { ca: server.tls?.ca } }, topic)).rejects.toThrow();
      expect(await end(portOf(server.adminBrokers), topic)).toBe('1');
    },
    SLOW,
  );
});
