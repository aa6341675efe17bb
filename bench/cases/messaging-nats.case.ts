import { EventBus } from '@core-infra/messaging';
import { NatsModule } from '@core-infra/nats';
import { type NatsServer, startNats } from '@core-infra/testing';
import { jetstream, jetstreamManager, type JetStreamClient } from '@nats-io/jetstream';
import { connect, headers as newHeaders, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { DynamicModule } from '@nestjs/common';
import { ClientNats, type NatsOptions, Transport } from '@nestjs/microservices';
import { randomUUID } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import type { BenchCase, Effort } from '../harness/bench-case.js';
import { BATCH, batchAt, cleared, consuming } from '../harness/counted.js';
import { throughputVariant } from '../harness/throughput.js';
import { BODY, bootNest, bootPlaced, closeDrained, DATA, keyOf, placed, TYPE } from '../servers/placed.js';

const CONCURRENCY = 8;
const PARTITIONS = 8;
/** How many are published or emitted at once, before they are read. */
const STEP = 500;
const STREAM = 'EVENTS';
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

const ours = ({ url }: NatsServer): DynamicModule => NatsModule.forRoot({ url, startup: 'require' });

const account = ({ address, user, password }: NatsServer) => ({ servers: address, user: user!, pass: password! });
const connectRaw = (server: NatsServer): Promise<NatsConnection> => connect(account(server));
const nestOptions = (server: NatsServer): NonNullable<NatsOptions['options']> => account(server);

const NEST =
  'Nest has nothing that keeps messages on NATS: its transport is core NATS, without a stream, a disk or an acknowledgement. It has no goal here.';

/** Gone when the server has read it. */
async function emit(nest: ClientNats, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => firstValueFrom(nest.emit(TYPE, DATA), { defaultValue: 0 })));
  await nest.unwrap<NatsConnection>().flush();
}

export const natsPublish: BenchCase = {
  name: 'nats-publish',
  about:
    `Events of 1 KiB with keys into a stream on disk of a real server, acknowledged, with ids that it knows again: ${BATCH} at a time, ${CONCURRENCY} times at once. ` +
    `*core-infra*: \`bus.publishBatch\`. *@nats-io*: \`publish\` with the same headers, and a promise for each acknowledgement. *@nestjs/microservices*: \`emit\` for each, and a flush. ${NEST}`,
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: `Batches of ${BATCH} per second`, unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per batch', unit: 'µs' },
  ],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: '@nats-io', as: 'ratio' }, atLeast: 0.92 }],
  async open(effort) {
    const server = await startNats();
    const app = await bootPlaced(ours(server), 'nats');
    const bus = app.get(EventBus);
    const connection = await connectRaw(server);
    const raw = jetstream(connection);
    const manager = await jetstreamManager(connection);
    const nest = new ClientNats(nestOptions(server));
    await nest.connect();
    return {
      variants: [
        throughputVariant(
          'core-infra',
          at => bus.publishBatch(batchAt(at).map(n => placed.of(DATA, { key: keyOf(n) }))),
          effort,
          CONCURRENCY,
        ),
        throughputVariant('@nats-io', at => Promise.all(batchAt(at).map(n => publishRaw(raw, n))), effort, CONCURRENCY),
        throughputVariant('@nestjs/microservices', () => emit(nest, BATCH), effort, CONCURRENCY),
      ].map(variant => cleared(variant, () => manager.streams.purge(STREAM))),
      async close() {
        await nest.close();
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
    '*core-infra*: a `@Subscribe` handler, with its envelope and the order of 1,000 keys. *@nats-io*: `consume` of a durable consumer for each partition, the body parsed. ' +
    `*@nestjs/microservices*: \`@EventPattern\`, while the same process emits, which its CPU time has in it. ${NEST}`,
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: 'Events per second', unit: '/s', digits: 0 },
    { key: 'cpuUs', label: 'CPU per event', unit: 'µs' },
  ],
  goals: [{ metric: 'perSecond', variant: 'core-infra', against: { variant: '@nats-io', as: 'ratio' }, atLeast: 0.85 }],
  async open({ quick }: Effort) {
    const server = await startNats();
    await (await bootPlaced(ours(server), 'nats', () => undefined)).close();
    const connection = await connectRaw(server);
    const raw = jetstream(connection);
    const manager = await jetstreamManager(connection);
    const nest = new ClientNats(nestOptions(server));
    await nest.connect();
    const total = quick ? 3_000 : 30_000;
    for (let at = 0; at < PARTITIONS; at += 1)
      await manager.consumers.add(STREAM, {
        durable_name: `raw-${at}`,
        ack_policy: 'explicit',
        filter_subject: subjectOf(at),
      });
    const fill = async (): Promise<void> => {
      for (let from = 0; from < total; from += STEP)
        await Promise.all(Array.from({ length: STEP }, (_, n) => publishRaw(raw, from + n)));
    };
    return {
      variants: [
        consuming('core-infra', total, fill, async seen => {
          const app = await bootPlaced(ours(server), 'nats', seen);
          return () => closeDrained(app);
        }),
        consuming('@nats-io', total, fill, async seen => {
          const reading = await Promise.all(
            Array.from({ length: PARTITIONS }, async (_, at) => {
              const consumer = await raw.consumers.get(STREAM, `raw-${at}`);
              return consumer.consume({
                max_messages: 223,
                callback: message => {
                  message.json();
                  seen();
                  message.ack();
                },
              });
            }),
          );
          return async () => {
            await Promise.all(reading.map(messages => messages.close()));
            await connection.flush();
          };
        }),
        consuming(
          '@nestjs/microservices',
          total,
          () => Promise.resolve(),
          seen =>
            bootNest({ transport: Transport.NATS, options: nestOptions(server) }, seen, async app => {
              const listening = app.unwrap<NatsConnection>();
              // Core NATS drops what is emitted before the server knows of the subscription, and what a reader is too slow for.
              await listening.flush();
              for (let from = 0; from < total; from += STEP) {
                await emit(nest, STEP);
                await listening.flush();
              }
            }),
        ),
      ].map(variant => cleared(variant, () => manager.streams.purge(STREAM))),
      async close() {
        await nest.close();
        await connection.close();
        await server.dispose();
      },
    };
  },
};
