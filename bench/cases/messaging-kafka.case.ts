import { randomUUID } from 'node:crypto';
import { KafkaClient, KafkaModule } from '@core-infra/kafka';
import { connectHandlers, defineEvent, EventBus, MessagingModule, Subscribe } from '@core-infra/messaging';
import { startKafka } from '@core-infra/testing';
import { Controller, type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientKafka, EventPattern, type MicroserviceOptions, Payload, Transport } from '@nestjs/microservices';
import { IsString } from 'class-validator';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { firstValueFrom } from 'rxjs';
import type { BenchCase, Variant } from '../harness/bench-case.js';
import { throughputVariant } from '../harness/throughput.js';

const BATCH = 100;
const CONCURRENCY = 8;
const TOPIC = 'orders.placed';

class Order {
  @IsString() id!: string;
  @IsString() note!: string;
}

const DATA: Order = { id: 'order', note: 'x'.repeat(960) };
const KEYS = Array.from({ length: 1_000 }, (_, at) => `order-${at}`);
const placed = defineEvent(TOPIC, { schema: Order });

/** What our events look like on the wire, so that all variants carry the same. */
const message = (at: number) => ({
  key: KEYS[at % 1_000]!,
  value: JSON.stringify(DATA),
  headers: {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_dataversion: '1',
    ce_id: randomUUID(),
    ce_source: '/bench',
    ce_type: TOPIC,
    ce_time: new Date().toISOString(),
    ce_partitionkey: KEYS[at % 1_000]!,
  },
});
const numbers = (at: number): number[] => Array.from({ length: BATCH }, (_, n) => at * BATCH + n);

export const messagingKafkaPublish: BenchCase = {
  name: 'messaging-kafka-publish',
  about:
    `Events of 1 KiB with keys, as CloudEvents, into three partitions of a real broker, acknowledged by all replicas: ${BATCH} at a time, ${CONCURRENCY} times at once. ` +
    '*core-infra*: `publishBatch`; *one by one*: `publish` for each of them. *kafkajs*: `producer.send` with the same headers and JSON, idempotent. *@nestjs/microservices*: `emit` for each of them.',
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: `Batches of ${BATCH} per second`, unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per batch', unit: 'µs' },
  ],
  goals: [
    { metric: 'perSecond', variant: 'core-infra', against: { variant: 'kafkajs', as: 'ratio' }, atLeast: 0.92 },
    {
      metric: 'perSecond',
      variant: 'core-infra, one by one',
      against: { variant: '@nestjs/microservices', as: 'ratio' },
      atLeast: 1.5,
    },
  ],
  async open(effort) {
    const server = await startKafka();
    const app = await bootOurs(server.brokers, 'bench');
    const bus = app.get(EventBus);
    await app
      .get(KafkaClient)
      .admin.ensureTopics([{ topic: TOPIC, partitions: 3, config: { 'retention.bytes': '100000000' } }]);
    const kafka = new Kafka({ brokers: server.brokers, logLevel: logLevel.NOTHING });
    const raw = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true });
    await raw.connect();
    const nest = new ClientKafka({
      client: { brokers: server.brokers, logLevel: logLevel.NOTHING },
      producer: { createPartitioner: Partitioners.DefaultPartitioner, idempotent: true },
      producerOnlyMode: true,
    });
    await nest.connect();
    const event = (at: number) => placed.of(DATA, { key: KEYS[at % 1_000]! });
    return {
      variants: [
        throughputVariant('core-infra', at => bus.publishBatch(numbers(at).map(event)), effort, CONCURRENCY),
        throughputVariant(
          'core-infra, one by one',
          at => Promise.all(numbers(at).map(n => bus.publish(event(n)))),
          effort,
          CONCURRENCY,
        ),
        throughputVariant(
          'kafkajs',
          at => raw.send({ topic: TOPIC, messages: numbers(at).map(message) }),
          effort,
          CONCURRENCY,
        ),
        throughputVariant(
          '@nestjs/microservices',
          at => Promise.all(numbers(at).map(n => firstValueFrom(nest.emit(TOPIC, message(n)), { defaultValue: 0 }))),
          effort,
          CONCURRENCY,
        ),
      ],
      async close() {
        await nest.close();
        await raw.disconnect();
        await app.close();
        await server.dispose();
      },
    };
  },
};

export const messagingKafkaConsume: BenchCase = {
  name: 'messaging-kafka-consume',
  about:
    'The same events read by a new group from the beginning, by handlers that do nothing; counted from the first to the last, so that joining is not measured. ' +
    '*core-infra*: `@Subscribe`, in order by key, committed only when handled; *batches*: the same with `batch`. *kafkajs*: `eachMessage` with `JSON.parse`. *@nestjs/microservices*: `@EventPattern`.',
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 },
    { key: 'cpuUs', label: 'CPU per event', unit: 'µs' },
  ],
  goals: [
    { metric: 'perSecond', variant: 'core-infra', against: { variant: 'kafkajs', as: 'ratio' }, atLeast: 0.85 },
    {
      metric: 'perSecond',
      variant: 'core-infra',
      against: { variant: '@nestjs/microservices', as: 'ratio' },
      atLeast: 1.5,
    },
  ],
  async open({ quick }) {
    const server = await startKafka();
    const total = quick ? 10_000 : 60_000;
    const kafka = new Kafka({ brokers: server.brokers, logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 3 }], waitForLeaders: true });
    await admin.disconnect();
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    for (let at = 0; at < total; at += BATCH)
      await producer.send({ topic: TOPIC, messages: numbers(at / BATCH).map(message) });
    await producer.disconnect();

    return {
      variants: [
        reading('core-infra', total, async (group, seen) => {
          @Controller()
          class Handlers {
            @Subscribe(TOPIC)
            handle(@Payload() _order: unknown): void {
              seen(1);
            }
          }
          return bootOurs(server.brokers, group, Handlers);
        }),
        reading('core-infra, batches', total, async (group, seen) => {
          @Controller()
          class Handlers {
            @Subscribe(TOPIC, { batch: { size: 100, waitMs: 5 } })
            handle(@Payload() orders: unknown[]): void {
              seen(orders.length);
            }
          }
          return bootOurs(server.brokers, group, Handlers);
        }),
        reading('kafkajs', total, async (group, seen) => {
          const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 250 });
          await consumer.connect();
          await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
          await consumer.run({
            eachMessage: async ({ message: { value } }) => {
              JSON.parse(String(value));
              seen(1);
            },
          });
          return { close: () => consumer.disconnect() };
        }),
        reading('@nestjs/microservices', total, async (group, seen) => {
          @Controller()
          class Handlers {
            @EventPattern(TOPIC)
            handle(@Payload() _order: unknown): void {
              seen(1);
            }
          }
          @Module({ controllers: [Handlers] })
          class NestModule {}
          const app = await NestFactory.createMicroservice<MicroserviceOptions>(NestModule, {
            logger: false,
            transport: Transport.KAFKA,
            options: {
              client: { brokers: server.brokers, logLevel: logLevel.NOTHING },
              consumer: { groupId: group, maxWaitTimeInMs: 250 },
              subscribe: { fromBeginning: true },
            },
          });
          await app.listen();
          return app;
        }),
      ],
      close: () => server.dispose(),
    };
  },
};

/** Reads all events with a group of its own, and says how fast it went once it had begun. */
function reading(
  name: string,
  total: number,
  start: (group: string, seen: (events: number) => void) => Promise<{ close(): Promise<unknown> }>,
): Variant {
  return {
    name,
    async measure() {
      let count = 0;
      let since = 0;
      let before = process.cpuUsage();
      let done = (): void => undefined;
      const finished = new Promise<void>(resolve => (done = resolve));
      const reader = await start(`bench-${randomUUID()}`, events => {
        if (count === 0) {
          since = performance.now();
          before = process.cpuUsage();
        }
        count += events;
        if (count >= total) done();
      });
      await finished;
      const tookMs = performance.now() - since;
      const { user, system } = process.cpuUsage(before);
      await reader.close();
      return { perSecond: (total * 1_000) / tookMs, cpuUs: (user + system) / total };
    },
  };
}

async function bootOurs(
  brokers: string[],
  group: string,
  handlers?: new () => object,
): Promise<INestApplicationContext> {
  @Module({
    imports: [
      KafkaModule.forRoot({ brokers, startup: 'require' }),
      MessagingModule.forRoot({ driver: 'kafka', startup: 'require', group, source: '/bench' }),
    ],
    controllers: handlers ? [handlers] : [],
  })
  class OursModule {}
  const app = await NestFactory.create(OursModule, { logger: false, abortOnError: false });
  connectHandlers(app);
  await app.startAllMicroservices();
  await app.init();
  return app;
}
