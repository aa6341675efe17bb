import { EventBus } from '@core-infra/messaging';
import { RabbitmqModule } from '@core-infra/rabbitmq';
import { type RabbitmqServer, startRabbitmq } from '@core-infra/testing';
import type { DynamicModule } from '@nestjs/common';
import { ClientRMQ, type RmqContext, type RmqOptions, Transport } from '@nestjs/microservices';
import { type ChannelModel, connect, type ConsumeMessage } from 'amqplib';
import { randomUUID } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import type { BenchCase, Effort } from '../harness/bench-case.js';
import { BATCH, batchAt, cleared, consuming } from '../harness/counted.js';
import { throughputVariant } from '../harness/throughput.js';
import { BODY, bootNest, bootPlaced, closeDrained, DATA, GROUP, keyOf, placed, TYPE } from '../servers/placed.js';

const CONCURRENCY = 8;
const PARTITIONS = 8;
const SLOTS = 64;
/** What one member has of a partition. */
const PREFETCH = 93;
const NEST_QUEUE = 'bench-nest';
/** Of an exchange of its own, whose group has one partition. */
const ONE = 'bench-one';
const oneQueue = { partitions: 1, exchangeType: 'direct' } as const;
const ONE_QUEUE = `${ONE}.${GROUP}:${TYPE}:0`;
const queues = Array.from({ length: PARTITIONS }, (_, number) => `${GROUP}:${TYPE}:${number}`);

/** What CloudEvents asks for, as one would write it by hand. */
const headers = (at: number) => ({
  cloudEvents_specversion: '1.0',
  cloudEvents_id: randomUUID(),
  cloudEvents_source: '/bench',
  cloudEvents_type: TYPE,
  cloudEvents_time: new Date().toISOString(),
  cloudEvents_partitionkey: keyOf(at),
});

const properties = (at: number) => ({
  persistent: true,
  mandatory: true,
  contentType: 'application/json',
  headers: headers(at),
});

const ours = ({ url }: RabbitmqServer): DynamicModule => RabbitmqModule.forRoot({ url, startup: 'require' });

const oursWithOneQueue = ({ url }: RabbitmqServer): DynamicModule =>
  RabbitmqModule.forRoot({ url, exchange: ONE, queuePrefix: `${ONE}.`, startup: 'require' });

/** As durable as ours: a quorum queue, persistent messages, acknowledged when handled. */
const nestOptions = ({ url }: RabbitmqServer): NonNullable<RmqOptions['options']> => ({
  urls: [url],
  queue: NEST_QUEUE,
  queueOptions: { durable: true, arguments: { 'x-queue-type': 'quorum' } },
  persistent: true,
});

async function publishRaw(raw: ChannelModel, count: number): Promise<void> {
  const channel = await raw.createConfirmChannel();
  for (let at = 0; at < count; at += 1) {
    channel.publish('events', `${TYPE}.slot:${at % SLOTS}`, BODY, properties(at));
    if (at % 1_000 === 999) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
  await channel.close();
}

async function purge(raw: ChannelModel, names: readonly string[]): Promise<void> {
  const channel = await raw.createChannel();
  for (const name of names) await channel.purgeQueue(name);
  await channel.close();
}

export const rabbitmqPublish: BenchCase = {
  name: 'rabbitmq-publish',
  about:
    `Events of 1 KiB with keys into eight quorum queues of a real broker, confirmed: ${BATCH} at a time, ${CONCURRENCY} times at once. ` +
    '*core-infra*: `publishBatch`; *one by one*: `publish` for each of them. *amqplib*: `publish` on a confirm channel with the same headers, and a promise for each confirmation. ' +
    'A broker has the more to do the more quorum queues there are, and Nest’s transport has one: *one queue* is the same as *core-infra* with one partition and a direct exchange, as the default exchange is one; the topic exchange of the other rows takes the broker twice the time for each message. ' +
    '*@nestjs/microservices*: `emit` for each of them, confirmed, into one quorum queue of the default exchange: its messages have no envelope and no id, are not validated, and nobody hears of one that reaches no queue.',
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: `Batches of ${BATCH} per second`, unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per batch', unit: 'µs' },
  ],
  goals: [
    { metric: 'perSecond', variant: 'core-infra', against: { variant: 'amqplib', as: 'ratio' }, atLeast: 0.92 },
    {
      metric: 'perSecond',
      variant: 'core-infra, one queue, one by one',
      against: { variant: '@nestjs/microservices', as: 'ratio' },
      atLeast: 1.5,
    },
  ],
  async open(effort) {
    const server = await startRabbitmq();
    // It makes the queues of the group, and leaves.
    await (await bootPlaced(ours(server), 'rabbitmq', () => undefined)).close();
    const app = await bootPlaced(ours(server), 'rabbitmq');
    await (await bootPlaced(oursWithOneQueue(server), 'rabbitmq', () => undefined, { rabbitmq: oneQueue })).close();
    const appWithOneQueue = await bootPlaced(oursWithOneQueue(server), 'rabbitmq', undefined, { rabbitmq: oneQueue });
    const raw = await connect(server.url, { noDelay: true });
    const channel = await raw.createConfirmChannel();
    const nest = new ClientRMQ(nestOptions(server));
    await nest.connect();
    const publish = (at: number): Promise<void> =>
      new Promise((resolve, reject) => {
        channel.publish('events', `${TYPE}.slot:${at % SLOTS}`, BODY, properties(at), (error: Error | null) =>
          error ? reject(error) : resolve(),
        );
      });
    const event = (at: number) => placed.of(DATA, { key: keyOf(at) });
    const publishing = (name: string, bus: EventBus) => [
      throughputVariant(name, at => bus.publishBatch(batchAt(at).map(event)), effort, CONCURRENCY),
      throughputVariant(
        `${name}, one by one`,
        at => Promise.all(batchAt(at).map(n => bus.publish(event(n)))),
        effort,
        CONCURRENCY,
      ),
    ];
    return {
      variants: [
        ...publishing('core-infra', app.get(EventBus)),
        ...publishing('core-infra, one queue', appWithOneQueue.get(EventBus)),
        throughputVariant('amqplib', at => Promise.all(batchAt(at).map(publish)), effort, CONCURRENCY),
        throughputVariant(
          '@nestjs/microservices',
          at => Promise.all(batchAt(at).map(() => firstValueFrom(nest.emit(TYPE, DATA), { defaultValue: 0 }))),
          effort,
          CONCURRENCY,
        ),
      ].map(variant => cleared(variant, () => purge(raw, [...queues, ONE_QUEUE, NEST_QUEUE]))),
      async close() {
        await nest.close();
        await app.close();
        await appWithOneQueue.close();
        await raw.close();
        await server.dispose();
      },
    };
  },
};

export const rabbitmqConsume: BenchCase = {
  name: 'rabbitmq-consume',
  about:
    'Events of 1 KiB that wait in eight quorum queues of a real broker, handled by a method that does nothing. ' +
    '*core-infra*: a `@Subscribe` handler, with its envelope and the order of 1,000 keys; what is handled in one turn of the event loop is acknowledged together. *amqplib*: `consume` on a channel per queue with the same prefetch, the body parsed, acknowledged one by one. ' +
    '*@nestjs/microservices*: `@EventPattern` on one quorum queue with the prefetch of all eight, acknowledged by the handler.',
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 },
    { key: 'cpuUs', label: 'CPU per event', unit: 'µs' },
  ],
  goals: [
    { metric: 'perSecond', variant: 'core-infra', against: { variant: 'amqplib', as: 'ratio' }, atLeast: 0.85 },
    {
      metric: 'perSecond',
      variant: 'core-infra',
      against: { variant: '@nestjs/microservices', as: 'ratio' },
      atLeast: 1.5,
    },
  ],
  async open({ quick }: Effort) {
    const server = await startRabbitmq();
    await (await bootPlaced(ours(server), 'rabbitmq', () => undefined)).close();
    const raw = await connect(server.url, { noDelay: true });
    const nest = new ClientRMQ(nestOptions(server));
    await nest.connect();
    const total = quick ? 3_000 : 20_000;
    const fill = (): Promise<void> => publishRaw(raw, total);
    const emitAll = async (): Promise<void> => {
      for (let from = 0; from < total; from += 500)
        await Promise.all(
          Array.from({ length: 500 }, () => firstValueFrom(nest.emit(TYPE, DATA), { defaultValue: 0 })),
        );
    };
    return {
      variants: [
        consuming('core-infra', total, fill, async seen => {
          const app = await bootPlaced(ours(server), 'rabbitmq', seen);
          return () => closeDrained(app);
        }),
        consuming('amqplib', total, fill, async seen => {
          const connection = await connect(server.url, { noDelay: true });
          for (const queue of queues) {
            const channel = await connection.createChannel();
            await channel.prefetch(PREFETCH);
            await channel.consume(queue, message => {
              if (!message) return;
              JSON.parse(message.content.toString());
              seen();
              channel.ack(message);
            });
          }
          return () => connection.close();
        }),
        consuming('@nestjs/microservices', total, emitAll, seen =>
          bootNest(
            {
              transport: Transport.RMQ,
              options: { ...nestOptions(server), noAck: false, prefetchCount: PREFETCH * PARTITIONS },
            },
            context => {
              seen();
              const rmq = context as RmqContext;
              (rmq.getChannelRef() as { ack(message: ConsumeMessage): void }).ack(rmq.getMessage() as ConsumeMessage);
            },
          ),
        ),
      ],
      async close() {
        await nest.close();
        await raw.close();
        await server.dispose();
      },
    };
  },
};
