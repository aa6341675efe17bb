import { createHash } from 'node:crypto';
import { KafkaClient } from '@core-infra/kafka';
import { eventually, uniqueName, useKafka } from '@core-infra/testing';
import { Controller, type Type } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import {
  type DeadLetter,
  EventBus,
  type EventTooLargeError,
  MessageContext,
  MessagingHub,
  type PublishFailedError,
  Subscribe,
} from '../../src/index.js';
import { Orders } from '../../src/testing/orders.js';
import { bootKafka } from './support/boot-kafka.js';

jest.setTimeout(90_000);

/** Jest compares buffers byte by byte, which takes seconds for millions. */
const comparable = ({ message, ...letter }: DeadLetter) => ({
  ...letter,
  message: { ...message, body: createHash('sha256').update(message.body).digest('hex') },
});

/** A handler of events that no class is known of. */
function handlerOf(type: string, call: (data: unknown, context: MessageContext) => unknown): Type {
  @Controller()
  class Handlers {
    @Subscribe(type)
    handle(@Payload() data: unknown, @Ctx() context: MessageContext): unknown {
      return void call(data, context);
    }
  }
  return Handlers;
}

const kafka = useKafka();
const ever = () => AbortSignal.timeout(20_000);
const hubOf = (app: { get: (token: never, options: object) => unknown }) =>
  app.get(MessagingHub as never, { strict: false }) as MessagingHub;

describe('topics of other systems', () => {
  const write = async (topic: string, messages: Parameters<ReturnType<Kafka['producer']>['send']>[0]['messages']) => {
    const producer = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  };

  it('are read whatever their keys, headers and values are', async () => {
    const orders = new Orders(uniqueName('raw'));
    const { type } = orders.placed;
    const seen: { body: string; key?: string; headers: object }[] = [];
    await using app = await bootKafka({
      brokers: kafka.brokers,
      options: { group: uniqueName('group'), topics: { [type]: { topic: type, codec: 'raw' } } },
      controllers: [
        handlerOf(type, (data, { message }) =>
          seen.push({
            body: String(data),
            headers: message.headers,
            ...(message.key !== undefined && { key: message.key }),
          }),
        ),
      ],
    });
    const client = app.get(KafkaClient);
    await eventually(async () => expect(await client.admin.topics()).toContain(type));
    const headers = {
      several: ['a', Buffer.from('b')],
      ['__proto__']: 'x',
      'x-infra-attempts': '7',
      bytes: Buffer.from([0xff, 0xfe]),
    };
    await write(type, [
      { key: Buffer.from([0xff, 0x01]), value: Buffer.from([0, 1, 2]), headers, partition: 0 },
      { key: 'k', value: null, partition: 0 },
      { key: '', value: 'empty key', partition: 0 },
      { key: null, value: 'no key', partition: 0 },
    ]);
    await eventually(() => expect(seen).toHaveLength(4), { timeoutMs: 20_000 });
    const found = (body: string) => seen.find(each => each.body === body)!;
    expect(found('\u0000\u0001\u0002').key).toBe('\u00ff\u0001');
    expect(found('\u0000\u0001\u0002').headers).toMatchObject({ several: 'a, b', 'x-infra-attempts': '7' });
    expect(found('').key).toBe('k');
    expect(found('empty key').key).toBe('');
    expect('key' in found('no key')).toBe(false);
  });

  it('are read and written as JSON, and what is none goes to the dead letters with its bytes', async () => {
    const orders = new Orders(uniqueName('json'));
    const { type } = orders.placed;
    const group = uniqueName('group');
    const seen: number[] = [];
    await using app = await bootKafka({
      brokers: kafka.brokers,
      options: { group, topics: { [type]: { topic: type, codec: 'json' } } },
      controllers: [orders.handler(({ at }) => void seen.push(at))],
    });
    await app.get(EventBus).publish(orders.placed.of({ id: 'x', at: 1 }));
    await write(type, [
      { key: 'x', value: '{"id":"x","at":2}' },
      { key: 'x', value: '{"id"' },
      { key: 'x', value: '{"id":"x","at":3}' },
    ]);
    await eventually(() => expect(seen).toEqual([1, 2, 3]), { timeoutMs: 20_000 });
    const [letter] = await hubOf(app).deadLetters.list({ group }, { limit: 10 }, ever());
    expect(letter).toMatchObject({ reason: 'undecodable', message: { key: 'x', topic: type } });
    expect(String(letter!.message.body)).toBe('{"id"');
  });
});

describe('topics that are missing', () => {
  it('are made with the partitions that are asked for', async () => {
    const orders = new Orders(uniqueName('made'));
    const group = uniqueName('group');
    await using app = await bootKafka({
      brokers: kafka.brokers,
      options: { group, kafka: { partitions: 5, replicationFactor: 1 } },
      controllers: [orders.handler(() => undefined)],
    });
    const { admin } = app.get(KafkaClient);
    const names = ['', `.${group}.retry`, `.${group}.parked`].map(end => `${orders.placed.type}${end}`);
    await eventually(async () => expect(await admin.topics()).toEqual(expect.arrayContaining(names)));
    const states = await admin.describe(names);
    expect(states.map(({ partitions }) => partitions.length)).toEqual([5, 5, 5]);
    expect(states[2]!.config).toMatchObject({ 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' });
  });

  it('are an error that says how to make them, where none are made; they may be made later', async () => {
    const orders = new Orders(uniqueName('missing'));
    const group = uniqueName('group');
    const seen: number[] = [];
    await using app = await bootKafka({
      brokers: kafka.brokers,
      options: { group, kafka: { createTopics: false } },
      controllers: [orders.handler(({ at }) => void seen.push(at))],
    });
    const { type } = orders.placed;
    const [member] = hubOf(app).members;
    await eventually(() => expect(member!.state.trouble?.message).toContain(`The topic "${type}" does not exist.`));
    expect(member!.state.trouble).toMatchObject({ code: 'INFRA_MESSAGING_TOPIC_MISSING' });
    await expect(app.get(EventBus).publish(orders.placed.of({ id: 'x', at: 1 }))).rejects.toMatchObject({
      code: 'INFRA_MESSAGING_TOPIC_MISSING',
      fix: expect.stringContaining(`kafka-topics.sh --create --topic ${type}`) as string,
    });
    const { admin } = app.get(KafkaClient);
    await admin.ensureTopics([{ topic: type, partitions: 2 }]);
    await eventually(
      () => expect(member!.state.trouble?.message).toContain(`--create --topic ${type}.${group}.retry --partitions 2`),
      { timeoutMs: 20_000 },
    );
    await admin.ensureTopics(['retry', 'parked'].map(end => ({ topic: `${type}.${group}.${end}`, partitions: 2 })));
    await app.get(EventBus).publish(orders.placed.of({ id: 'x', at: 2 }));
    await eventually(() => expect(seen).toEqual([2]), { timeoutMs: 30_000 });
    expect(member!.state.trouble).toBeUndefined();
  });
});

describe('an event that is larger than its topic takes', () => {
  it('is refused when it is published, with its type, its size and the limit; the others of its batch are sent', async () => {
    const orders = new Orders(uniqueName('narrow'));
    const { type } = orders.placed;
    await using app = await bootKafka({ brokers: kafka.brokers });
    const { admin, reader } = app.get(KafkaClient);
    await admin.ensureTopics([{ topic: type, partitions: 1, config: { 'max.message.bytes': '20000' } }]);
    const large = orders.placed.of({ id: 'x'.repeat(30_000), at: 1 }, { key: 'large' });
    const bus = app.get(EventBus);
    const failure = await bus.publish(large).catch((error: unknown) => error as EventTooLargeError);
    expect(failure).toMatchObject({ code: 'INFRA_EVENT_TOO_LARGE', type, limit: 20_000 });
    expect((failure as EventTooLargeError).bytes).toBeGreaterThan(30_000);
    expect(String(failure)).toContain(`and messages may have 20000`);
    const failed = bus.publishBatch([large, orders.placed.of({ id: 'small', at: 2 })]);
    await expect(failed).rejects.toMatchObject({ failures: [{ index: 0, error: { code: 'INFRA_EVENT_TOO_LARGE' } }] });
    expect(await reader.bounds(type)).toMatchObject([{ end: 1n }]);
  });
});

describe('a topic that cannot be made', () => {
  it('fails its own events alone: the others are sent, and told of one by one', async () => {
    const orders = new Orders(uniqueName('fine'));
    const other = new Orders(uniqueName('bad'));
    await using app = await bootKafka({
      brokers: kafka.brokers,
      options: { topics: { [other.placed.type]: { topic: '..' } } },
    });
    const failure = await app
      .get(EventBus)
      .publishBatch([
        orders.placed.of({ id: 'x', at: 1 }),
        other.placed.of({ id: 'x', at: 2 }),
        orders.placed.of({ id: 'x', at: 3 }),
        other.placed.of({ id: 'y', at: 4 }),
      ])
      .catch((error: unknown) => error as PublishFailedError);
    expect(failure).toMatchObject({
      code: 'INFRA_PUBLISH_FAILED',
      failures: [
        { index: 1, error: { code: 'INFRA_KAFKA_INVALID_TOPIC' } },
        { index: 3, error: { code: 'INFRA_KAFKA_INVALID_TOPIC' } },
      ],
    });
    const bounds = await app.get(KafkaClient).reader.bounds(orders.placed.type);
    expect(bounds.reduce((sum, { start, end }) => sum + Number(end - start), 0)).toBe(2);
  });
});

describe('dead letters on Kafka', () => {
  it('are there for every process, as large as they come, until one removes them', async () => {
    const group = uniqueName('letters');
    await using one = await bootKafka({ brokers: kafka.brokers });
    await using other = await bootKafka({ brokers: kafka.brokers });
    const letter = (at: number, bytes: number) => ({
      id: `0190a000-0000-7000-8000-00000000000${at}`,
      group,
      message: { id: `m${at}`, topic: 'orders', key: 'k', headers: { a: 'ä' }, body: Buffer.alloc(bytes, at) },
      reason: 'attempts' as const,
      error: { name: 'Error', message: 'never' },
      partition: 0,
      position: at,
      attempts: 3,
      firstAttemptAt: 1,
      lastAttemptAt: 10 + at,
    });
    const letters = [letter(1, 10), letter(2, 3_000_000), letter(3, 0)];
    const store = hubOf(one).deadLetters;
    const same = hubOf(other).deadLetters;
    await store.add(letters, ever());
    expect((await same.list({ group }, { limit: 10 }, ever())).map(comparable)).toEqual(letters.map(comparable));
    expect(await same.list({ group, since: 12 }, { limit: 1, after: letters[1]!.id }, ever())).toEqual([letters[2]]);
    expect(comparable((await same.get(letters[1]!.id, ever()))!)).toEqual(comparable(letters[1]!));
    expect(await same.remove([letters[1]!.id, 'none'], ever())).toBe(1);
    expect(await store.count({ group }, ever())).toBe(2);
    expect(await store.get(letters[1]!.id, ever())).toBeUndefined();
    expect(await store.list({ group: uniqueName('none') }, { limit: 1 }, ever())).toEqual([]);
  });
});
