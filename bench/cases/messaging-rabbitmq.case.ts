import {
  defineEvent,
  EventBus,
  MessagingModule,
  MessagingHub,
  Subscribe,
  connectHandlers,
} from '@core-infra/messaging';
import { RabbitmqModule } from '@core-infra/rabbitmq';
import { type RabbitmqServer, startRabbitmq } from '@core-infra/testing';
import { IsString } from 'class-validator';
import { Controller, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ChannelModel, connect } from 'amqplib';
import { randomUUID } from 'node:crypto';
import type { BenchCase, Effort, Variant } from '../harness/bench-case.js';
import { throughputVariant } from '../harness/throughput.js';

const BATCH = 100;
const CONCURRENCY = 8;
const PARTITIONS = 8;
const SLOTS = 64;
const TYPE = 'bench.placed';
const GROUP = 'bench';

class Placed {
  @IsString() note!: string;
}

const DATA: Placed = { note: 'x'.repeat(1_000) };
const BODY = Buffer.from(JSON.stringify(DATA));
const placed = defineEvent(TYPE, { schema: Placed });
const queues = Array.from({ length: PARTITIONS }, (_, number) => `${GROUP}:${TYPE}:${number}`);
const keyOf = (at: number): string => `order-${at % 1_000}`;

/** What CloudEvents asks for, as one would write it by hand. */
const headers = (at: number) => ({
  cloudEvents_specversion: '1.0',
  cloudEvents_id: randomUUID(),
  cloudEvents_source: '/bench',
  cloudEvents_type: TYPE,
  cloudEvents_time: new Date().toISOString(),
  cloudEvents_partitionkey: keyOf(at),
});

async function boot(server: RabbitmqServer, controllers: Type[] = []): Promise<INestApplication> {
  @Module({
    imports: [
      RabbitmqModule.forRoot({ url: server.url, startup: 'require' }),
      MessagingModule.forRoot({ driver: 'rabbitmq', group: GROUP, startup: 'require' }),
    ],
    controllers,
  })
  class BenchModule {}
  const app = await NestFactory.create(BenchModule, { logger: false, abortOnError: false });
  connectHandlers(app);
  await app.init();
  await app.startAllMicroservices();
  return app;
}

function handlerOf(handle: () => unknown): Type {
  @Controller()
  class Handlers {
    @Subscribe(placed)
    async handle(): Promise<void> {
      await handle();
    }
  }
  return Handlers;
}

async function publishRaw(raw: ChannelModel, count: number): Promise<void> {
  const channel = await raw.createConfirmChannel();
  for (let at = 0; at < count; at += 1) {
    const key = `${TYPE}.slot:${at % SLOTS}`;
    channel.publish('events', key, BODY, {
      persistent: true,
      mandatory: true,
      contentType: 'application/json',
      headers: headers(at),
    });
    if (at % 1_000 === 999) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
  await channel.close();
}

async function purge(raw: ChannelModel): Promise<void> {
  const channel = await raw.createChannel();
  for (const queue of queues) await channel.purgeQueue(queue);
  await channel.close();
}

export const rabbitmqPublish: BenchCase = {
  name: 'rabbitmq-publish',
  about:
    `Events of 1 KiB with keys into eight quorum queues of a real broker, confirmed: ${BATCH} at a time, ${CONCURRENCY} times at once. ` +
    '*core-infra*: `bus.publishBatch`. *amqplib*: `publish` on a confirm channel with the same headers, and a promise for each confirmation.',
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: `Batches of ${BATCH} per second`, unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per batch', unit: 'µs' },
  ],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: 'amqplib', as: 'ratio' }, atLeast: 0.92 }],
  async open(effort) {
    const server = await startRabbitmq();
    // It makes the queues of the group, and leaves.
    await (await boot(server, [handlerOf(() => undefined)])).close();
    const app = await boot(server);
    const bus = app.get(EventBus);
    const raw = await connect(server.url, { noDelay: true });
    const channel = await raw.createConfirmChannel();
    const publish = (at: number): Promise<void> =>
      new Promise((resolve, reject) => {
        channel.publish(
          'events',
          `${TYPE}.slot:${at % SLOTS}`,
          BODY,
          { persistent: true, mandatory: true, contentType: 'application/json', headers: headers(at) },
          (error: Error | null) => (error ? reject(error) : resolve()),
        );
      });
    const indexes = (at: number): number[] => Array.from({ length: BATCH }, (_, n) => at * BATCH + n);
    const purged = (variant: Variant): Variant => ({
      name: variant.name,
      async measure() {
        const sample = await variant.measure();
        await purge(raw);
        return sample;
      },
    });
    return {
      variants: [
        throughputVariant(
          'core-infra',
          at => bus.publishBatch(indexes(at).map(index => placed.of(DATA, { key: keyOf(index) }))),
          effort,
          CONCURRENCY,
        ),
        throughputVariant('amqplib', at => Promise.all(indexes(at).map(publish)), effort, CONCURRENCY),
      ].map(purged),
      async close() {
        await app.close();
        await raw.close();
        await server.dispose();
      },
    };
  },
};

export const rabbitmqConsume: BenchCase = {
  name: 'rabbitmq-consume',
  about:
    'Events of 1 KiB that wait in eight quorum queues of a real broker, handled by a method that does nothing, and acknowledged one by one. ' +
    '*core-infra*: a `@Subscribe` handler, with its envelope and the order of 1,000 keys. *amqplib*: `consume` on a channel per queue with the same prefetch, the body parsed.',
  rounds: 5,
  metrics: [{ key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 }],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: 'amqplib', as: 'ratio' }, atLeast: 0.85 }],
  async open({ quick }: Effort) {
    const server = await startRabbitmq();
    await (await boot(server, [handlerOf(() => undefined)])).close();
    const raw = await connect(server.url, { noDelay: true });
    const total = quick ? 3_000 : 20_000;
    /** From the first to the last. */
    const timed = () => {
      let handled = 0;
      let start = 0;
      let done = (_: number): void => undefined;
      const perSecond = new Promise<number>(resolve => (done = resolve));
      const count = (): void => {
        if (handled === 0) start = performance.now();
        handled += 1;
        if (handled === total) done((total * 1_000) / (performance.now() - start));
      };
      return { perSecond, count };
    };
    return {
      variants: [
        {
          name: 'core-infra',
          async measure() {
            await publishRaw(raw, total);
            const { perSecond, count } = timed();
            const app = await boot(server, [handlerOf(count)]);
            const sample = { perSecond: await perSecond };
            await app.get(MessagingHub).drain(AbortSignal.timeout(5_000));
            await app.close();
            return sample;
          },
        },
        {
          name: 'amqplib',
          async measure() {
            await publishRaw(raw, total);
            const { perSecond, count } = timed();
            const connection = await connect(server.url, { noDelay: true });
            for (const queue of queues) {
              const channel = await connection.createChannel();
              await channel.prefetch(93);
              await channel.consume(queue, message => {
                if (!message) return;
                JSON.parse(message.content.toString());
                count();
                channel.ack(message);
              });
            }
            const sample = { perSecond: await perSecond };
            await connection.close();
            return sample;
          },
        },
      ],
      async close() {
        await raw.close();
        await server.dispose();
      },
    };
  },
};
