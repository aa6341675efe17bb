import { KafkaClient, KafkaModule } from '@core-infra/kafka';
import { startKafka } from '@core-infra/testing';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { BenchCase } from '../harness/bench-case.js';
import { throughputVariant } from '../harness/throughput.js';

const BATCH = 100;
const CONCURRENCY = 8;
const TOPIC = 'bench';
const VALUE = Buffer.alloc(1_024, 'x');
const KEYS = Array.from({ length: 1_000 }, (_, at) => Buffer.from(`order-${at}`));

export const kafkaProduce: BenchCase = {
  name: 'kafka-produce',
  about:
    `Records of 1 KiB with keys, into three partitions of a real broker, acknowledged by all replicas, idempotent: ${BATCH} at a time, ${CONCURRENCY} times at once. ` +
    '*core-infra*: `producer.sendBatch`, each record with an outcome of its own. *core-infra, send*: the same records by `producer.send`, one promise for each. *kafkajs*: `producer.send` with the messages.',
  rounds: 7,
  metrics: [
    { key: 'perSecond', label: `Batches of ${BATCH} per second`, unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per batch', unit: 'µs' },
  ],
  goals: ['core-infra', 'core-infra, send'].map(variant => ({
    metric: 'perSecond',
    variant,
    against: { variant: 'kafkajs', as: 'ratio' as const },
    atLeast: 0.92,
  })),
  async open(effort) {
    const server = await startKafka();

    @Module({ imports: [KafkaModule.forRoot({ brokers: server.brokers, startup: 'require' })] })
    class OursModule {}
    const app = await NestFactory.createApplicationContext(OursModule, { logger: false, abortOnError: false });
    const ours = app.get(KafkaClient);
    await ours.admin.ensureTopics([{ topic: TOPIC, partitions: 3, config: { 'retention.bytes': '100000000' } }]);
    const raw = new Kafka({ brokers: server.brokers, logLevel: logLevel.NOTHING }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
    });
    await raw.connect();
    const messages = (at: number) =>
      Array.from({ length: BATCH }, (_, n) => ({ key: KEYS[(at * BATCH + n) % 1_000]!, value: VALUE }));
    const records = (at: number) => messages(at).map(message => ({ topic: TOPIC, ...message }));
    return {
      variants: [
        throughputVariant(
          'core-infra',
          async at => all(await ours.producer.sendBatch(records(at))),
          effort,
          CONCURRENCY,
        ),
        throughputVariant(
          'core-infra, send',
          at => Promise.all(records(at).map(record => ours.producer.send(record))),
          effort,
          CONCURRENCY,
        ),
        throughputVariant('kafkajs', at => raw.send({ topic: TOPIC, messages: messages(at) }), effort, CONCURRENCY),
      ],
      async close() {
        await app.close();
        await raw.disconnect();
        await server.dispose();
      },
    };
  },
};

function all(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
