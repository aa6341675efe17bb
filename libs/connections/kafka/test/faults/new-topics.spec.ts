import { KafkaClient, KafkaModule } from '@core-infra/kafka';
import { bootInfra, uniqueName, useKafka } from '@core-infra/testing';

jest.setTimeout(90_000);

describe('topics that are being made', () => {
  const kafka = useKafka();

  it('are looked at by many at once without an error of the client’s own', async () => {
    await using app = await bootInfra(KafkaModule.forRoot({ brokers: kafka.brokers, startup: 'require' }));
    const { admin, reader } = app.get(KafkaClient);
    const topics = Array.from({ length: 12 }, () => uniqueName('made'));
    const looked = topics.map(async topic => {
      await admin.ensureTopics([{ topic, partitions: 2 }]);
      return reader.bounds(topic);
    });
    const bounds = [0, 1].map(partition => ({ partition, start: 0n, end: 0n }));
    expect(await Promise.all(looked)).toEqual(topics.map(() => bounds));
  });
});
