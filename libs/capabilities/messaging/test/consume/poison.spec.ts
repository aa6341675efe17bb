import { eventually, type HttpApp, uniqueName } from '@core-infra/testing';
import { Controller, type Type } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { setTimeout as sleep } from 'node:timers/promises';
import { hubOf } from '../../src/bus/open-bus.js';
import { defineEvent, EventBus, type MessagingOptions, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

class Order {
  @IsString() id!: string;
  @IsInt() at!: number;
}

const placed = defineEvent('orders.placed', { schema: Order, key: ({ id }) => id });
const poisonKeys = Array.from({ length: 8 }, (_, n) => `poison${n}`);
const goodKeys = Array.from({ length: 25 }, (_, n) => `good${n}`);
const each = 20;

/** They fail over and over again, and are never given up. */
const forEver = { firstDelayMs: 1, maxDelayMs: 20, attempts: 10_000 };

/** An app whose handler is poisoned by some keys, at a concurrency of eight. */
class Poisoned implements AsyncDisposable {
  /** How often each poison was tried. */
  readonly tries = new Map<string, number>();
  readonly seen = new Map<string, number[]>();
  readonly waits: number[] = [];
  private readonly begun = new Map<string, number>();
  /** No dead letter is kept until this is called. */
  keepDeadLetters = (): void => undefined;

  private constructor(readonly app: HttpApp) {}

  static async boot(poison: () => Promise<void>, options: MessagingOptions, given = {}): Promise<Poisoned> {
    const started = { by: undefined as Poisoned | undefined };
    const controller = handlersOf(order => started.by!.handle(order, poison), given);
    const app = await bootMessaging({
      controllers: [controller],
      options: { group: uniqueName('g'), retry: forEver, ...options },
    });
    return (started.by = new Poisoned(app));
  }

  get bus(): EventBus {
    return this.app.get(EventBus);
  }

  dead(): Promise<number> {
    return hubOf(this.bus).deadLetters.count({}, AbortSignal.timeout(1_000));
  }

  /** Dead letters wait to be kept: so long their messages are not resolved. */
  holdDeadLetters(): () => number {
    const { deadLetters } = hubOf(this.bus);
    const kept = new Promise<void>(resolve => (this.keepDeadLetters = resolve));
    const add = deadLetters.add.bind(deadLetters);
    let waiting = 0;
    deadLetters.add = async (letters, signal) => {
      waiting += 1;
      await kept;
      return add(letters, signal);
    };
    return () => waiting;
  }

  /** The same in bytes as the driver takes them from anybody. */
  async publishRaw(messages: readonly { headers: Record<string, string>; body: Buffer }[]): Promise<void> {
    const outgoing = messages.map(({ headers, body }, at) => ({
      id: `raw${at}`,
      topic: placed.type,
      key: poisonKeys[at]!,
      kind: 'event' as const,
      headers,
      body,
    }));
    await hubOf(this.bus).driver.publish(outgoing, AbortSignal.timeout(5_000));
  }

  async publishPoison(): Promise<void> {
    await this.bus.publishBatch(poisonKeys.map(id => placed.of({ id, at: 0 })));
  }

  /** Publishes events of other keys a few at a time, and resolves when all are handled, each key in order. */
  async publishGood(): Promise<void> {
    for (let at = 0; at < each; at += 1) {
      for (const id of goodKeys) this.begun.set(`${id}-${at}`, performance.now());
      await this.bus.publishBatch(goodKeys.map(id => placed.of({ id, at })));
      await sleep(20); // a stream that the places suffice for: it decides nothing but what is printed
    }
    const all = Array.from({ length: each }, (_, at) => at);
    await eventually(() => expect(goodKeys.map(id => this.seen.get(id))).toEqual(goodKeys.map(() => all)));
  }

  private async handle({ id, at }: Order, poison: () => Promise<void>): Promise<void> {
    if (id.startsWith('poison')) {
      this.tries.set(id, (this.tries.get(id) ?? 0) + 1);
      return poison();
    }
    await sleep(1);
    this.seen.set(id, [...(this.seen.get(id) ?? []), at]);
    this.waits.push(performance.now() - this.begun.get(`${id}-${at}`)!);
  }

  p99(): number {
    return this.waits.toSorted((a, b) => a - b)[Math.floor(this.waits.length * 0.99)]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.keepDeadLetters();
    await this.app.close();
  }
}

function handlersOf(handle: (order: Order) => Promise<void>, given: object): Type {
  @Controller()
  class Handlers {
    @Subscribe(placed, { concurrency: 8, ...given })
    handle(@Payload() order: Order): Promise<void> {
      return handle(order);
    }
  }
  return Handlers;
}

const hangs = (): Promise<void> => new Promise(() => undefined);
const throws = async (): Promise<void> => {
  throw new Error('poison');
};
const quickEnd = { shutdownTimeoutMs: 100 };

const ce = {
  ce_specversion: '1.0',
  ce_id: '1',
  ce_source: '/s',
  ce_type: placed.type,
  'content-type': 'application/json',
};
const hostileHeaders: Record<string, string>[] = [
  Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`x-${n}`, 'x'.repeat(50)])),
  { ...ce, ce_id: 'x'.repeat(1_000_000) },
  { ...ce, ...(JSON.parse('{"__proto__":"x","constructor":"y","toString":"z"}') as Record<string, string>) },
  { ...ce, ce_time: 'yesterday \u0000\ud800', ce_traceparent: '00-'.repeat(10_000) },
  { ...ce, ce_dataversion: '9'.repeat(10_000) },
  { ...ce, 'content-type': `${'application/json;'.repeat(10_000)}\r\nx-injected: 1` },
  { ...ce, ce_type: '\u{1F4A9}'.repeat(1_000), ce_specversion: '1.0' },
  { 'content-type': 'application/cloudevents+json', ce_specversion: '{}' },
];

let quietP99 = 0;

describe('eight keys of poison at once, with a concurrency of eight, do not hold up other keys', () => {
  const done = async (poisoned: Poisoned, what: string): Promise<void> => {
    await poisoned.publishGood();
    expect(await poisoned.dead()).toBe(0);
    const p99 = poisoned.p99();
    process.stdout.write(`${what}: p99 of other keys ${p99.toFixed(1)} ms; without poison ${quietP99.toFixed(1)} ms\n`);
  };

  beforeAll(async () => {
    // Once to warm up.
    for (const _run of [1, 2]) {
      await using quiet = await Poisoned.boot(throws, {});
      await quiet.publishGood();
      quietP99 = quiet.p99();
    }
  });

  it('when they throw', async () => {
    await using poisoned = await Poisoned.boot(throws, {});
    await poisoned.publishPoison();
    await eventually(() => expect(poisoned.tries.size).toBe(8));
    await done(poisoned, 'poison that throws');
    await eventually(() => expect(Math.min(...poisoned.tries.values())).toBeGreaterThan(3));
  });

  it('when they hang in all places at their first attempt', async () => {
    await using poisoned = await Poisoned.boot(hangs, quickEnd, { timeoutMs: 3_600_000 });
    await poisoned.publishPoison();
    await eventually(() => expect(poisoned.tries.size).toBe(8));
    await done(poisoned, 'poison that hangs');
    expect([...poisoned.tries.values()]).toEqual(Array(8).fill(1));
  });

  it('when they hang past the timeout, again at each attempt', async () => {
    await using poisoned = await Poisoned.boot(hangs, quickEnd, { timeoutMs: 60 });
    await poisoned.publishPoison();
    await eventually(() => expect(Math.min(...poisoned.tries.values())).toBeGreaterThan(1));
    await done(poisoned, 'poison that hangs again and again');
  });

  it('when they hang at a retry for good, having failed before', async () => {
    let failures = 0;
    const later = (): Promise<void> => ((failures += 1) <= 8 ? throws() : hangs());
    const fast = { retry: { ...forEver, firstDelayMs: 1, maxDelayMs: 1 } };
    await using poisoned = await Poisoned.boot(later, { ...quickEnd, ...fast }, { timeoutMs: 3_600_000, overflow: 0 });
    await poisoned.publishPoison();
    // Half of the places is all that they get.
    await eventually(() => expect(failures).toBe(12));
    await done(poisoned, 'poison that hangs at a retry, without overflow');
    expect(failures).toBe(12);
  });

  it('when they cannot be decoded', async () => {
    await using poisoned = await Poisoned.boot(throws, {});
    const waiting = poisoned.holdDeadLetters();
    await poisoned.publishRaw(poisonKeys.map((_key, at) => ({ headers: ce, body: Buffer.from('{"id":'.repeat(at)) })));
    await eventually(() => expect(waiting()).toBe(8));
    await done(poisoned, 'poison that cannot be decoded');
    poisoned.keepDeadLetters();
    await eventually(async () => expect(await poisoned.dead()).toBe(8));
    expect(poisoned.tries.size).toBe(0);
  });

  it('when they are 10 MB each: such are not even read', async () => {
    const parse = jest.spyOn(JSON, 'parse');
    await using poisoned = await Poisoned.boot(throws, { consumers: { maxBytesInFlight: 256 * 1024 * 1024 } });
    const waiting = poisoned.holdDeadLetters();
    const body = Buffer.from(JSON.stringify({ id: 'poison', at: 1, much: Array(2_500_000).fill(123) }));
    expect(body.length).toBeGreaterThan(10_000_000);
    await poisoned.publishRaw(poisonKeys.map(() => ({ headers: ce, body })));
    await eventually(() => expect(waiting()).toBe(8));
    await done(poisoned, 'poison of 10 MB');
    expect(parse.mock.calls.every(([text]) => text.length < 1_000_000)).toBe(true);
    parse.mockRestore();
    poisoned.keepDeadLetters();
    await eventually(async () => expect(await poisoned.dead()).toBe(8));
    const letters = await hubOf(poisoned.bus).deadLetters.list({}, { limit: 10 }, AbortSignal.timeout(1_000));
    expect(letters.map(({ reason, error: { code }, message }) => [reason, code, message.body.length])).toEqual(
      Array(8).fill(['undecodable', 'INFRA_MESSAGE_TOO_LARGE', body.length]),
    );
  });

  it('when their headers are hostile', async () => {
    await using poisoned = await Poisoned.boot(throws, {});
    const waiting = poisoned.holdDeadLetters();
    await poisoned.publishRaw(
      hostileHeaders.map((headers, at) => ({ headers, body: Buffer.from(`{"id":"poison${at}","at":0}`) })),
    );
    // Of another type is one, which this group has no handler for; the rest fails, or cannot be read.
    await eventually(() => expect(waiting() + poisoned.tries.size).toBe(7));
    await done(poisoned, 'poison with hostile headers');
    poisoned.keepDeadLetters();
    await eventually(async () => expect(await poisoned.dead()).toBe(waiting()));
    expect(({} as { x?: string }).x).toBeUndefined();
  });
});

describe('the bound of what is read', () => {
  it('is as configured, and lets through what is not above it', async () => {
    await using poisoned = await Poisoned.boot(throws, { consumers: { maxMessageBytes: 2_000 } });
    const filled = (bytes: number) => ({
      headers: ce,
      body: Buffer.from(`{"id":"poison","at":1,"x":"${'x'.repeat(bytes)}"}`),
    });
    await poisoned.publishRaw([filled(1_500), filled(2_000)]);
    await eventually(async () => expect([await poisoned.dead(), poisoned.tries.size]).toEqual([1, 1]));
  });

  it('is not below what may be published', async () => {
    await using poisoned = await Poisoned.boot(throws, { maxMessageBytes: 20_000_000 });
    const body = Buffer.from(`{"id":"poison","at":1,"x":"${'x'.repeat(10_000_000)}"}`);
    await poisoned.publishRaw([{ headers: ce, body }]);
    await eventually(() => expect(poisoned.tries.size).toBe(1));
  });
});
