import { KafkaClient, KafkaModule } from '@core-infra/kafka';
import { OutboxRelay } from '@core-infra/messaging/outbox';
import { startKafka, startPostgres } from '@core-infra/testing';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { Pool } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase, Variant } from '../harness/bench-case.js';
import { bootBus } from '../servers/bus-app.js';
import { fillOutbox, OUTBOX_HEADERS, OUTBOX_TOPIC } from '../servers/fill-outbox.js';

const BATCH = 1_000;
const BODY = Buffer.from('x'.repeat(500));

export const outboxKafka: BenchCase = {
  name: 'outbox-kafka',
  about:
    'Events of 500 bytes and 1,000 keys that wait in the outbox of a PostgreSQL, relayed to three partitions of a real Kafka, acknowledged by all replicas, and removed. ' +
    `*kafkajs*: the same records from memory, ${BATCH.toLocaleString('en-US')} in a call of \`producer.send\`, one call after the other, idempotent.`,
  rounds: 5,
  metrics: [{ key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 }],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: 'kafkajs', as: 'ratio' }, atLeast: 0.6 }],
  async open({ quick }) {
    const [server, postgres] = await Promise.all([startKafka(), startPostgres()]);
    const { app } = await bootBus(postgres.url, {
      connections: [KafkaModule.forRoot({ brokers: server.brokers, startup: 'require' })],
      messaging: { driver: 'kafka', startup: 'require' },
      outbox: { batchSize: BATCH },
    });
    await app
      .get(KafkaClient)
      .admin.ensureTopics([{ topic: OUTBOX_TOPIC, partitions: 3, config: { 'retention.bytes': '100000000' } }]);
    const relay = app.get(OutboxRelay);
    const pool = new Pool({ connectionString: postgres.url });
    const raw = new Kafka({ brokers: server.brokers, logLevel: logLevel.NOTHING }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
    });
    await raw.connect();
    const rows = quick ? 10_000 : 100_000;
    const timed = (name: string, prepare: () => Promise<unknown>, send: () => Promise<void>): Variant => ({
      name,
      async measure() {
        await prepare();
        const start = performance.now();
        await send();
        return { perSecond: (rows * 1_000) / (performance.now() - start) };
      },
    });
    return {
      variants: [
        timed(
          'core-infra',
          async () => {
            await pool.query(fillOutbox(rows));
            await pool.query('VACUUM ANALYZE messaging_outbox');
          },
          async () => {
            relay.wake();
            while ((await pool.query('SELECT 1 FROM messaging_outbox LIMIT 1')).rowCount) await sleep(2);
          },
        ),
        timed(
          'kafkajs',
          () => Promise.resolve(),
          async () => {
            for (let from = 0; from < rows; from += BATCH)
              await raw.send({
                topic: OUTBOX_TOPIC,
                messages: Array.from({ length: BATCH }, (_, at) => ({
                  key: `key-${(from + at) % 1_000}`,
                  value: BODY,
                  headers: OUTBOX_HEADERS,
                })),
              });
          },
        ),
      ],
      async close() {
        await raw.disconnect();
        await pool.end();
        await app.close();
        await Promise.all([server.dispose(), postgres.dispose()]);
      },
    };
  },
};
