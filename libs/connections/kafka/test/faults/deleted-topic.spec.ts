import { KafkaClient, KafkaModule } from '@core-infra/kafka';
import { bootInfra, eventually, uniqueName, useKafka } from '@core-infra/testing';
import { setTimeout as sleep } from 'node:timers/promises';

jest.setTimeout(90_000);

describe('a topic that is deleted while it is written to', () => {
  const kafka = useKafka();

  it('holds up no other topic, and is named to those who write to it', async () => {
    await using app = await bootInfra(
      KafkaModule.forRoot({ brokers: kafka.brokers, startup: 'require', metadataMaxAgeMs: 1_000 }),
    );
    const { admin, producer, reader } = app.get(KafkaClient);
    const [kept, gone] = [uniqueName('kept'), uniqueName('gone')];
    await admin.ensureTopics([
      { topic: kept, partitions: 1 },
      { topic: gone, partitions: 1 },
    ]);
    for (const topic of [kept, gone]) {
      await producer.send({ topic, value: 'x' });
      for await (const messages of reader.read(topic, 0, { from: 0n, to: 1n })) expect(messages).toHaveLength(1);
    }
    await admin.deleteTopics([gone]);
    const refused = () => producer.send({ topic: gone, value: 'x' }).catch((error: unknown) => error);
    await eventually(async () => expect(await refused()).toMatchObject({ code: 'INFRA_KAFKA_UNKNOWN_TOPIC' }), {
      timeoutMs: 15_000,
    });
    // By now what is known of the topics has been asked for again, more than once.
    await sleep(1_100);
    for (let at = 1; at < 4; at += 1) {
      await producer.send({ topic: kept, value: 'x' });
      const to = BigInt(at) + 1n;
      for await (const messages of reader.read(kept, 0, { from: to - 1n, to })) expect(messages).toHaveLength(1);
      expect(await admin.lag(uniqueName('group'), [kept])).toMatchObject([{ end: to }]);
      await sleep(600);
    }
  });
});
