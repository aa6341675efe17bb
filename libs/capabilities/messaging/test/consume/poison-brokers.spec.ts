import { DatabaseModule } from '@core-infra/database';
import { eventually, type HttpApp, uniqueName, useKafka, useNats, usePostgres, useRabbitmq } from '@core-infra/testing';
import type { Type } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutgoingMessage } from '../../src/driver/message.js';
import { EventBus, type HandlerOptions, MessagingHub, type MessagingOptions } from '../../src/index.js';
import { type Order, Orders } from '../../src/testing/orders.js';
import { bootKafka } from '../kafka/support/boot-kafka.js';
import { bootNats } from '../nats/fixtures/boot-nats.js';
import { bootRabbitmq } from '../rabbitmq/fixtures/boot-rabbitmq.js';
import { bootMessaging } from '../support/boot-messaging.js';

jest.setTimeout(120_000);

type Boot = (controllers: Type[], options: MessagingOptions) => Promise<HttpApp>;

const poisonKeys = Array.from({ length: 8 }, (_, n) => `poison${n}`);
const goodKeys = Array.from({ length: 25 }, (_, n) => `good${n}`);
const rounds = Array.from({ length: 20 }, (_, at) => at);
const patience = { timeoutMs: 60_000 };

/** An app whose handler, eight at once, is poisoned by some keys. */
class Poisoned implements AsyncDisposable {
  /** How often each poison was tried. */
  readonly tries = new Map<string, number>();
  private readonly seen = new Map<string, number[]>();
  private readonly begun = new Map<string, number>();
  private readonly waits: number[] = [];

  private constructor(
    readonly app: HttpApp,
    private readonly orders: Orders,
    private readonly group: string,
  ) {}

  static async boot(
    boot: Boot,
    poison: () => Promise<void>,
    options: MessagingOptions = {},
    given: HandlerOptions = {},
  ): Promise<Poisoned> {
    const orders = new Orders(uniqueName('poison').toLowerCase());
    const group = uniqueName('group');
    const found = { poisoned: undefined as Poisoned | undefined };
    const handler = orders.handler(order => found.poisoned!.handle(order, poison), { concurrency: 8, ...given });
    const app = await boot([handler], { group, shutdownTimeoutMs: 1_000, ...options });
    found.poisoned = new Poisoned(app, orders, group);
    await found.poisoned.publish([{ id: 'first', at: 0 }]);
    await eventually(() => expect(found.poisoned!.seen.get('first')).toEqual([0]), patience);
    return found.poisoned;
  }

  async publish(orders: readonly Order[]): Promise<void> {
    await this.app.get(EventBus).publishBatch(orders.map(order => this.orders.placed.of(order)));
  }

  publishPoison(): Promise<void> {
    return this.publish(poisonKeys.map(id => ({ id, at: 0 })));
  }

  /** Bytes of the poison keys, as the driver takes them from anybody. */
  async publishRaw(all: readonly { headers?: Record<string, string>; body: string }[]): Promise<void> {
    const { type } = this.orders.placed;
    const envelope = { ce_specversion: '1.0', ce_source: '/s', ce_type: type, 'content-type': 'application/json' };
    const outgoing = all.map(({ headers, body }, at): OutgoingMessage => {
      const id = uniqueName('raw');
      const key = poisonKeys[at]!;
      return {
        id,
        topic: type,
        key,
        kind: 'event',
        headers: { ...envelope, ce_id: id, ...headers },
        body: Buffer.from(body),
      };
    });
    await this.hub.driver.publish(outgoing, AbortSignal.timeout(20_000));
  }

  /** Publishes events of other keys a few at a time, and resolves when all are handled, each key in order. @returns how long 99 of 100 took, in milliseconds */
  async goodP99(): Promise<number> {
    for (const at of rounds) {
      for (const id of goodKeys) this.begun.set(`${id}-${at}`, performance.now());
      await this.publish(goodKeys.map(id => ({ id, at })));
      await sleep(20); // a stream that the places suffice for: it decides nothing but what is printed
    }
    await eventually(() => expect(goodKeys.map(id => this.seen.get(id))).toEqual(goodKeys.map(() => rounds)), patience);
    return this.waits.toSorted((a, b) => a - b)[Math.floor(this.waits.length * 0.99)]!;
  }

  dead(): Promise<number> {
    return this.hub.deadLetters.count({ group: this.group }, AbortSignal.timeout(30_000));
  }

  async parkedKeys(): Promise<number> {
    return (await this.hub.driver.parking!.size(this.group, AbortSignal.timeout(30_000))).keys;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.app.close();
  }

  private get hub(): MessagingHub {
    return this.app.get(MessagingHub as never, { strict: false });
  }

  private async handle({ id, at }: Order, poison: () => Promise<void>): Promise<void> {
    if (id.startsWith('poison')) {
      this.tries.set(id, (this.tries.get(id) ?? 0) + 1);
      return poison();
    }
    await sleep(1);
    const before = this.seen.get(id) ?? [];
    // A broker may deliver again what was handled; that says nothing of order.
    if (!before.includes(at)) this.seen.set(id, [...before, at]);
    const began = this.begun.get(`${id}-${at}`);
    if (began !== undefined) this.waits.push(performance.now() - began);
  }
}

const hangs = (): Promise<void> => new Promise(() => undefined);
const throws = (): Promise<void> => Promise.reject(new Error('poison'));
/** They fail over and over again, and are never given up. */
const forEver = { attempts: 10_000, firstDelayMs: 20, maxDelayMs: 100 };

function poisonSpecs(name: string, boot: Boot): void {
  let quietP99 = 0;
  const say = (what: string, p99: number): void =>
    void process.stdout.write(
      `${name}, poison that ${what}: p99 of other keys ${p99.toFixed(1)} ms; without poison ${quietP99.toFixed(1)} ms\n`,
    );

  beforeAll(async () => {
    await using quiet = await Poisoned.boot(boot, throws);
    quietP99 = await quiet.goodP99();
  });

  it('when they throw, and are parked by the broker', async () => {
    await using poisoned = await Poisoned.boot(boot, throws, { retry: { ...forEver, parkAfterMs: 0 } });
    await poisoned.publishPoison();
    await eventually(() => expect(poisoned.tries.size).toBe(8), patience);
    say('throws', await poisoned.goodP99());
    await eventually(async () => expect(await poisoned.parkedKeys()).toBe(8), patience);
    await eventually(() => expect(Math.min(...poisoned.tries.values())).toBeGreaterThan(2), patience);
    expect(await poisoned.dead()).toBe(0);
  });

  it('when they hang past the timeout, again at each attempt', async () => {
    await using poisoned = await Poisoned.boot(boot, hangs, { retry: forEver }, { timeoutMs: 150 });
    await poisoned.publishPoison();
    await eventually(() => expect(poisoned.tries.size).toBe(8), patience);
    say('hangs', await poisoned.goodP99());
    await eventually(() => expect(Math.min(...poisoned.tries.values())).toBeGreaterThan(1), patience);
    expect(await poisoned.dead()).toBe(0);
  });

  it('when they cannot be read: no JSON, too large, an envelope that is none', async () => {
    await using poisoned = await Poisoned.boot(boot, throws, {
      maxMessageBytes: 10_000,
      consumers: { maxMessageBytes: 10_000 },
    });
    const body = '{"id":"poison","at":0}';
    await poisoned.publishRaw([
      { body: '{"id":' },
      { body: '\ufffd\u0000' },
      { body: JSON.stringify({ id: 'poison', at: 0, much: 'x'.repeat(300_000) }) },
      { body: JSON.stringify({ id: 'poison', at: 0, much: Array(100_000).fill(1) }) },
      { headers: { ce_dataversion: '9'.repeat(5_000) }, body },
      { headers: { ce_specversion: '{}' }, body },
      { headers: { 'content-type': 'application/cloudevents+json' }, body },
      { headers: Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`x-${n}`, 'x'.repeat(50)])), body },
    ]);
    say('cannot be read', await poisoned.goodP99());
    await eventually(async () => expect(await poisoned.dead()).toBe(8), patience);
    expect(poisoned.tries.size).toBe(0);
  });
}

describe('eight keys of poison at once, with a concurrency of eight, do not hold up other keys', () => {
  describe('on PostgreSQL', () => {
    const database = usePostgres();
    const schema = uniqueName('boss').toLowerCase().replaceAll('-', '_').slice(0, 50);
    poisonSpecs('postgres', (controllers, options) =>
      bootMessaging({
        controllers,
        imports: [DatabaseModule.forRoot({ dsn: database.url })],
        options: { driver: 'postgres', startup: 'require', ...options, postgres: { schema } },
      }),
    );
  });

  describe('on Kafka', () => {
    const kafka = useKafka();
    poisonSpecs('kafka', (controllers, options) =>
      bootKafka({ brokers: kafka.brokers, controllers, options: { ...options, kafka: { partitions: 4 } } }),
    );
  });

  describe('on RabbitMQ', () => {
    const rabbitmq = useRabbitmq();
    poisonSpecs('rabbitmq', (controllers, options) => bootRabbitmq(rabbitmq.url, options, controllers));
  });

  describe('on NATS', () => {
    const nats = useNats();
    const prefix = uniqueName('events').toLowerCase();
    poisonSpecs('nats', (controllers, options) => bootNats({ url: nats.url, prefix, controllers, options }));
  });
});
