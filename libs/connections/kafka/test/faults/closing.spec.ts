import { eventually, bootInfra, uniqueName, useKafka } from '@core-infra/testing';
import { KafkaClient, KafkaModule } from '@core-infra/kafka';
import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

jest.setTimeout(60_000);

describe('an app that ends while it asks Kafka something', () => {
  const kafka = useKafka();
  const sockets: Socket[] = [];
  const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  beforeEach(() => channel('net.client.socket').subscribe(note));
  afterEach(() => {
    channel('net.client.socket').unsubscribe(note);
  });

  it('leaves no connection, and is refused what it asks after that', async () => {
    // Until a new topic has its leaders it is asked for them again and again; at one of these moments the app ends.
    for (let at = 0; at < 8; at += 1) {
      sockets.length = 0;
      const app = await bootInfra(KafkaModule.forRoot({ brokers: kafka.brokers, startup: 'require' }));
      const { admin } = app.get(KafkaClient);
      const asked = admin
        .ensureTopics([{ topic: uniqueName('closing'), partitions: 8 }])
        .catch((error: Error) => error);
      await new Promise(resolve => setTimeout(resolve, at * 15));
      await app.close();
      await asked;
      expect(sockets.length).toBeGreaterThan(0);
      await eventually(() => expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(0));
      await expect(admin.topics()).rejects.toMatchObject({ code: 'INFRA_KAFKA_CLOSED' });
    }
  });
});
