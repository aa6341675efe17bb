import { ContextModule } from '@core-infra/context';
import { RequestContext } from '@core-infra/kernel';
import { eventually, uniqueName } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { Type } from 'class-transformer';
import { IsDate, IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';
import { hubOf } from '../../src/bus/open-bus.js';
import {
  defineEvent,
  type DomainEvent,
  EventBus,
  type EventData,
  MessageContext,
  type MessagingOptions,
  type Outbox,
  type OutgoingMessage,
  Subscribe,
} from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

class Line {
  @IsString() sku!: string;
  @IsInt() count!: number;
}

class Order {
  @IsString() id!: string;
  @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
  @IsDate() @Type(() => Date) at!: Date;
  @IsOptional() @IsString() note?: string;
}

const placed = defineEvent('orders.placed', { schema: Order, key: order => order.id });
const order = (change: object = {}): Order =>
  Object.assign({ id: 'a', lines: [{ sku: 's', count: 1 }], at: new Date(5) }, change) as Order;

/** What is published in an app without handlers, as the driver gets it. */
async function published(
  options: MessagingOptions,
  publish: (bus: EventBus) => Promise<unknown>,
): Promise<readonly OutgoingMessage[]> {
  await using app = await bootMessaging({ options });
  const bus = app.get(EventBus);
  const { driver } = hubOf(bus);
  const sent: OutgoingMessage[] = [];
  const take = jest.spyOn(driver, 'publish').mockImplementation(async messages => {
    sent.push(...messages);
    return messages.map(() => undefined);
  });
  await publish(bus);
  take.mockRestore();
  return sent;
}

describe('an event that is published', () => {
  it('comes as an instance of its class, with nested ones and dates, and with fields that its class does not name', async () => {
    const seen: Order[] = [];
    @Controller()
    class Handlers {
      @Subscribe(placed)
      handle(@Payload() data: EventData<typeof placed>): void {
        seen.push(data);
      }
    }
    await using app = await bootMessaging({ controllers: [Handlers], options: { group: uniqueName('g') } });
    await app.get(EventBus).publish(placed.of(order({ extra: { kept: true } })));
    await eventually(() => expect(seen).toHaveLength(1));
    const [data] = seen;
    expect([data instanceof Order, data!.lines[0] instanceof Line, data!.at]).toEqual([true, true, new Date(5)]);
    expect(data).toMatchObject({ extra: { kept: true } });
  });

  it.each([
    ['a field is of another type', order({ id: 5 }), /id: id must be a string/],
    ['a nested field is', order({ lines: [{ sku: 's', count: 'x' }] }), /lines\[0\]\.count: count must be an integer/],
    ['it is a list', [] as never, /data: must be an object/],
    ['it is nothing', undefined as never, /data: must be an object/],
    ['a field cannot be written', order({ extra: 1n }), /cannot be written as JSON: .*BigInt/],
  ])('is refused when %s', async (_what, data, says) => {
    const refused = published({}, bus => bus.publish(placed.of(data)));
    await expect(refused).rejects.toThrow(says);
    await expect(refused).rejects.toMatchObject({ code: 'INFRA_EVENT_INVALID' });
  });

  it('is refused when its data refers to itself', async () => {
    const data = order();
    (data as { self?: object }).self = data;
    await expect(published({}, bus => bus.publish(placed.of(data)))).rejects.toMatchObject({
      code: 'INFRA_EVENT_INVALID',
    });
  });

  it('is refused when nobody could read it: a date that has no @Type', async () => {
    class Dated {
      @IsDate() at!: Date;
    }
    const dated = defineEvent('dated', { schema: Dated });
    await expect(published({}, bus => bus.publish(dated.of({ at: new Date() })))).rejects.toThrow(/at: .*@Type\(\)/);
  });

  it.each([
    ['an id of control characters', { id: 'a\nb' }],
    ['an empty key', { key: '' }],
    ['half a character', { subject: '\ud800' }],
    ['a header of the envelope', { headers: { ce_id: 'x' } }],
    ['a header that ends the line', { headers: { 'x-a': 'b\r\nc: d' } }],
    ['a header name in capitals', { headers: { 'X-A': 'b' } }],
    ['a time that is none', { time: new Date(Number.NaN) }],
  ])('is refused with %s', async (_what, attributes) => {
    await expect(published({}, bus => bus.publish(placed.of(order(), attributes)))).rejects.toMatchObject({
      code: 'INFRA_EVENT_ATTRIBUTE',
    });
  });

  it('is refused when it is too large, headers included', async () => {
    const large = (note: string) =>
      published({ maxMessageBytes: 2_000 }, bus => bus.publish(placed.of(order({ note }))));
    expect(await large('x')).toHaveLength(1);
    await expect(large('x'.repeat(1_900))).rejects.toMatchObject({
      code: 'INFRA_EVENT_TOO_LARGE',
      status: 413,
      limit: 2_000,
    });
  });

  it('goes nowhere with a batch of which one is refused', async () => {
    let refused: unknown;
    const sent = await published({}, bus =>
      bus.publishBatch([placed.of(order()), placed.of(order({ id: 1 }))]).catch((error: unknown) => (refused = error)),
    );
    expect(sent).toEqual([]);
    expect(refused).toMatchObject({ code: 'INFRA_EVENT_INVALID' });
  });

  it('is said to be none when it was not made by its definition', async () => {
    await expect(published({}, bus => bus.publish(placed as unknown as DomainEvent))).rejects.toThrow(/of\(…\)/);
    await expect(published({}, bus => bus.schedule(placed.of(order()), 'soon' as never))).rejects.toThrow(/valid Date/);
  });

  it('does not take data of another shape', () => {
    // @ts-expect-error -- a field is missing
    placed.of({ id: 'a' });
    // @ts-expect-error -- a field is of another type
    placed.of({ id: 1, lines: [], at: new Date() });
    // @ts-expect-error -- the key of another type
    defineEvent('x', { schema: Order, key: given => given.at });
    expect(placed.of(order()).data.id).toBe('a');
  });
});

describe('how long publishing takes', () => {
  const hanging = async (publish: (bus: EventBus) => Promise<unknown>): Promise<unknown> => {
    await using app = await bootMessaging({ options: { publishTimeoutMs: 60_000 } });
    const bus = app.get(EventBus);
    jest.spyOn(hubOf(bus).driver, 'publish').mockReturnValue(new Promise(() => undefined));
    return publish(bus).catch((error: unknown) => error);
  };

  it('is bounded', async () => {
    expect(await hanging(bus => bus.publish(placed.of(order()), { timeoutMs: 20 }))).toMatchObject({
      code: 'INFRA_PUBLISH_TIMEOUT',
      retryable: true,
    });
  });

  it('is up to the caller’s signal', async () => {
    const reason = new Error('the caller has gone');
    const caller = new AbortController();
    const given = hanging(bus => {
      const pending = bus.publish(placed.of(order()), { signal: caller.signal });
      setImmediate(() => caller.abort(reason));
      return pending;
    });
    expect(await given).toBe(reason);
    expect(await hanging(bus => bus.publish(placed.of(order()), { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  it('is bounded for each of those that are published at once, by one signal for many', async () => {
    await using app = await bootMessaging({ options: { publishTimeoutMs: 60_000 } });
    const bus = app.get(EventBus);
    const signals: AbortSignal[] = [];
    let acceptLast: (results: readonly undefined[]) => void = () => undefined;
    jest.spyOn(hubOf(bus).driver, 'publish').mockImplementation((_messages, signal) => {
      signals.push(signal);
      return new Promise(resolve => (acceptLast = resolve));
    });
    const caller = new AbortController();
    const gone = new Error('the caller has gone');
    const given = [
      ...Array.from({ length: 250 }, () => bus.publish(placed.of(order()), { timeoutMs: 50 })),
      bus.publish(placed.of(order()), { timeoutMs: 50, signal: caller.signal }),
      bus.publish(placed.of(order()), { timeoutMs: 40_000 }),
    ].map(publishing => publishing.catch((error: unknown) => error));
    expect(new Set(signals.slice(0, 250)).size).toBe(3);
    expect(new Set(signals).size).toBe(5);
    caller.abort(gone);
    expect(await given[250]).toBe(gone);
    expect(signals.map(({ aborted }) => aborted)).toEqual(signals.map((_, at) => at === 250));
    for (const error of await Promise.all(given.slice(0, 250)))
      expect(error).toMatchObject({ code: 'INFRA_PUBLISH_TIMEOUT' });
    expect(signals.map(({ aborted }) => aborted)).toEqual(signals.map((_, at) => at !== 251));
    acceptLast([undefined]);
    expect(await given[251]).toBe(undefined);
  });

  it('counts for those that are published later from then on, and not for what has ended', async () => {
    await using app = await bootMessaging({ options: { publishTimeoutMs: 60_000 } });
    const bus = app.get(EventBus);
    const signals: AbortSignal[] = [];
    const accept: ((results: readonly undefined[]) => void)[] = [];
    jest.spyOn(hubOf(bus).driver, 'publish').mockImplementation((_messages, signal) => {
      signals.push(signal);
      return new Promise(resolve => accept.push(resolve));
    });
    const first = bus.publish(placed.of(order()));
    const second = bus.publish(placed.of(order()));
    accept[0]!([undefined]);
    await first;
    const third = bus.publish(placed.of(order()));
    accept[1]!([undefined]);
    accept[2]!([undefined]);
    await Promise.all([second, third]);
    const fourth = bus.publish(placed.of(order())); // all that began in this turn have ended, and their timer with them
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
    const fifth = bus.publish(placed.of(order()));
    accept[3]!([undefined]);
    accept[4]!([undefined]);
    await Promise.all([fourth, fifth]);
    const [shared, ...others] = signals;
    expect(others.map(signal => signal === shared)).toEqual([true, true, false, false]);
    expect(others[2]).not.toBe(others[3]);
  });
});

describe('context', () => {
  it('goes from the request to the event, and from the event to its handler and what that publishes', async () => {
    const paid = defineEvent('orders.paid', { schema: Order });
    const seen: unknown[] = [];
    @Controller()
    class Handlers {
      constructor(
        private readonly bus: EventBus,
        private readonly context: RequestContext,
      ) {}

      @Subscribe(placed)
      async pay(@Payload() data: Order): Promise<void> {
        const { correlationId, requestId, traceparent } = this.context.current!;
        seen.push({ correlationId, requestId, traceparent });
        await this.bus.publish(paid.of(data));
      }

      @Subscribe(paid)
      note(@Ctx() { event: { correlationId, causationId, traceparent } }: MessageContext): void {
        seen.push({ correlationId, causationId, traceparent });
      }
    }
    Reflect.defineMetadata('design:paramtypes', [EventBus, RequestContext], Handlers);
    await using app = await bootMessaging({ imports: [ContextModule.forRoot()], controllers: [Handlers] });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const context = app.get<RequestContext>(RequestContext as never);
    await context.run({ requestId: 'request', correlationId: 'business', traceparent }, () =>
      app.get(EventBus).publish(placed.of(order(), { id: 'the-event' })),
    );
    await eventually(() => expect(seen).toHaveLength(2));
    expect(seen).toEqual([
      { correlationId: 'business', requestId: 'the-event', traceparent },
      { correlationId: 'business', causationId: 'the-event', traceparent },
    ]);
  });
});

describe('an outbox', () => {
  const withOutbox = async (
    outbox: Outbox,
    options: MessagingOptions,
    publish: (bus: EventBus) => Promise<unknown>,
  ): Promise<unknown> => {
    await using app = await bootMessaging({ options });
    const bus = app.get(EventBus);
    hubOf(bus).stores.outbox = outbox;
    return publish(bus).catch((error: unknown) => error);
  };

  it.each([false, true])(
    'takes what is published in a transaction, and only that unless it is told to (%s)',
    async isInTransaction => {
      const write = jest.fn(async () => undefined);
      const later = new Date(Date.now() + 60_000);
      for (const publish of [
        (bus: EventBus) => bus.publish(placed.of(order())),
        (bus: EventBus) => bus.send(placed.of(order())),
        (bus: EventBus) => bus.schedule(placed.of(order()), later),
      ]) {
        write.mockClear();
        const result = await withOutbox({ isInTransaction, write }, { outsideTransaction: 'refuse' }, publish);
        if (isInTransaction) expect([write.mock.calls.length, result]).toEqual([1, undefined]);
        else
          expect([write.mock.calls.length, result]).toMatchObject([0, { code: 'INFRA_PUBLISH_OUTSIDE_TRANSACTION' }]);
      }
    },
  );
});

describe('where events go', () => {
  it('is their type, the default topic, or what is configured, with the codec of that topic', async () => {
    const other = defineEvent('other', { schema: Order });
    const sent = await published({ defaultTopic: 'shop', topics: { other: { topic: 'legacy', codec: 'json' } } }, bus =>
      bus.publishBatch([placed.of(order()), other.of(order())]),
    );
    expect(sent.map(({ topic, headers }) => [topic, headers.ce_type])).toEqual([
      ['shop', 'orders.placed'],
      ['legacy', undefined],
    ]);
  });

  it.each([
    ['of a default topic', { codec: 'json', defaultTopic: 'shop' }],
    ['that topics give it', { topics: { 'orders.placed': { topic: 'o' }, other: { topic: 'o', codec: 'json' } } }],
  ] as [string, MessagingOptions][])(
    'cannot be a topic %s where two types could not be told apart',
    async (_what, options) => {
      const other = defineEvent('other', { schema: Order });
      await expect(bootMessaging({ options: { ...options, events: [placed, other] } })).rejects.toMatchObject({
        code: 'INFRA_MESSAGING_ROUTES',
      });
    },
  );

  it('is found out at boot for handlers as well', async () => {
    @Controller()
    class Handlers {
      @Subscribe('one') one(): void {}
      @Subscribe('two') two(): void {}
    }
    await expect(
      bootMessaging({ controllers: [Handlers], options: { codec: 'json', defaultTopic: 'shop' } }),
    ).rejects.toMatchObject({ code: 'INFRA_MESSAGING_ROUTES' });
  });

  it('refuses a class where bytes are carried, and two classes of one version', async () => {
    await expect(bootMessaging({ options: { codec: 'raw', events: [placed] } })).rejects.toThrow(/codec "raw"/);
    const twin = defineEvent('orders.placed', { schema: Line });
    await expect(bootMessaging({ options: { events: [placed, twin] } })).rejects.toThrow(/defined twice/);
  });
});
