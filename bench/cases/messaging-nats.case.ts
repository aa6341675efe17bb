import {
  connectHandlers,
  defineEvent,
  EventBus,
  MessagingHub,
  MessagingModule,
  Subscribe,
} from '@core-infra/messaging';
import { NatsModule } from '@core-infra/nats';
import { type NatsServer, startNats } from '@core-infra/testing';
import { jetstream, jetstreamManager, type JetStreamClient } from '@nats-io/jetstream';
import { connect, headers as newHeaders, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { Controller, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IsString } from 'class-validator';
import { randomUUID } from 'node:crypto';
import type { BenchCase, Effort, Variant } from '../harness/bench-case.js';
import { throughputVariant } from '../harness/throughput.js';

const BATCH = 100;
const CONCURRENCY = 8;
const PARTITIONS = 8;
const TYPE = 'bench.placed';
const GROUP = 'bench';
const STREAM = 'EVENTS';

class Placed {
  @IsString() note!: string;
}

const DATA: Placed = { note: 'x'.repeat(1_000) };
const BODY = Buffer.from(JSON.stringify(DATA));
const placed = defineEvent(TYPE, { schema: Placed });
const keyOf = (at: number): string => `order-${at % 1_000}`;
const subjectOf = (at: number): string => `events.${TYPE}.${at % PARTITIONS}`;

/** What CloudEvents asks for, as one would write it by hand. */
function headersOf(at: number, id: string): MsgHdrs {
  const made = newHeaders();
  made.set('content-type', 'application/json');
  made.set('ce-specversion', '1.0');
  made.set('ce-id', id);
  made.set('ce-source', '/bench');
  made.set('ce-type', TYPE);
  made.set('ce-time', new Date().toISOString());
  made.set('ce-partitionkey', keyOf(at));
  return made;
}

function publishRaw(raw: JetStreamClient, at: number): Promise<unknown> {
  const id = randomUUID();
  return raw.publish(subjectOf(at), BODY, { msgID: id, headers: headersOf(at, id) });
}

async function boot(server: NatsServer, controllers: Type[] = []): Promise<INestApplication> {
  @Module({
    imports: [
      NatsModule.forRoot({ url: server.url, startup: 'require' }),
      MessagingModule.forRoot({ driver: 'nats', group: GROUP, startup: 'require' }),
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

const connectRaw = ({ address, user, password }: NatsServer): Promise<NatsConnection> =>
  connect({ servers: address, user: user!, pass: password! });

export const natsPublish: BenchCase = {
  name: 'nats-publish',
  about:
    `Events of 1 KiB with keys into a stream on disk of a real server, acknowledged, with ids that it knows again: ${BATCH} at a time, ${CONCURRENCY} times at once. ` +
    '*core-infra*: `bus.publishBatch`. *@nats-io*: `publish` with the same headers, and a promise for each acknowledgement.',
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: `Batches of ${BATCH} per second`, unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per batch', unit: 'µs' },
  ],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: '@nats-io', as: 'ratio' }, atLeast: 0.92 }],
  async open(effort) {
    const server = await startNats();
    const app = await boot(server);
    const bus = app.get(EventBus);
    const connection = await connectRaw(server);
    const raw = jetstream(connection);
    const manager = await jetstreamManager(connection);
    const indexes = (at: number): number[] => Array.from({ length: BATCH }, (_, n) => at * BATCH + n);
    const purged = (variant: Variant): Variant => ({
      name: variant.name,
      async measure() {
        const sample = await variant.measure();
        await manager.streams.purge(STREAM);
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
        throughputVariant(
          '@nats-io',
          at => Promise.all(indexes(at).map(index => publishRaw(raw, index))),
          effort,
          CONCURRENCY,
        ),
      ].map(purged),
      async close() {
        await app.close();
        await connection.close();
        await server.dispose();
      },
    };
  },
};

export const natsConsume: BenchCase = {
  name: 'nats-consume',
  about:
    'Events of 1 KiB that wait in a stream of a real server, in eight partitions, handled by a method that does nothing, and acknowledged one by one. ' +
    '*core-infra*: a `@Subscribe` handler, with its envelope and the order of 1,000 keys. *@nats-io*: `consume` of a durable consumer for each partition, the body parsed.',
  rounds: 5,
  metrics: [{ key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 }],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: '@nats-io', as: 'ratio' }, atLeast: 0.85 }],
  async open({ quick }: Effort) {
    const server = await startNats();
    await (await boot(server, [handlerOf(() => undefined)])).close();
    const connection = await connectRaw(server);
    const raw = jetstream(connection);
    const manager = await jetstreamManager(connection);
    const total = quick ? 3_000 : 30_000;
    for (let at = 0; at < PARTITIONS; at += 1)
      await manager.consumers.add(STREAM, {
        durable_name: `raw-${at}`,
        ack_policy: 'explicit',
        filter_subject: subjectOf(at),
      });
    const fill = async (): Promise<void> => {
      for (let from = 0; from < total; from += 500)
        await Promise.all(Array.from({ length: 500 }, (_, n) => publishRaw(raw, from + n)));
    };
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
            await fill();
            const { perSecond, count } = timed();
            const app = await boot(server, [handlerOf(count)]);
            const sample = { perSecond: await perSecond };
            await app.get(MessagingHub).drain(AbortSignal.timeout(5_000));
            await app.close();
            await manager.streams.purge(STREAM);
            return sample;
          },
        },
        {
          name: '@nats-io',
          async measure() {
            await fill();
            const { perSecond, count } = timed();
            const reading = await Promise.all(
              Array.from({ length: PARTITIONS }, async (_, at) => {
                const consumer = await raw.consumers.get(STREAM, `raw-${at}`);
                return consumer.consume({
                  max_messages: 223,
                  callback: message => {
                    message.json();
                    count();
                    message.ack();
                  },
                });
              }),
            );
            const sample = { perSecond: await perSecond };
            await Promise.all(reading.map(messages => messages.close()));
            await connection.flush();
            await manager.streams.purge(STREAM);
            return sample;
          },
        },
      ],
      async close() {
        await connection.close();
        await server.dispose();
      },
    };
  },
};
