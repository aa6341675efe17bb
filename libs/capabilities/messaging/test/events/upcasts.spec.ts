import { eventually, uniqueName } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { hubOf } from '../../src/bus/open-bus.js';
import { defineEvent, EventBus, MessageContext, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

class OrderV3 {
  @IsString() id!: string;
  @IsInt() totalCents!: number;
  @IsString() currency!: string;
}

const steps: string[] = [];
const placed = defineEvent('orders.placed', {
  version: 3,
  schema: OrderV3,
  upcast: {
    1: ({ id, total }: { id: string; total: number }) => {
      steps.push(`1 ${id}`);
      if (id === 'broken') throw new RangeError('no such currency');
      return { id, totalCents: total * 100 };
    },
    2: (order: { id: string; totalCents: number }) => {
      steps.push(`2 ${order.id}`);
      return { ...order, currency: order.id === 'unfit' ? 5 : 'EUR' };
    },
  },
});

/** What comes of messages of these versions: what handlers get, and what becomes a dead letter. */
async function received(
  definition: typeof placed,
  versions: readonly (readonly [id: string, version: number, data: object])[],
) {
  steps.length = 0;
  const seen: unknown[] = [];
  const plain: unknown[] = [];
  @Controller()
  class Handlers {
    @Subscribe(definition)
    handle(@Payload() order: OrderV3, @Ctx() { event }: MessageContext): void {
      seen.push([order instanceof OrderV3, { ...order }, event.version]);
    }
    @EventPattern('orders.placed', undefined as never, { group: 'plain' })
    plain(@Payload() order: OrderV3): void {
      plain.push(order.id);
    }
  }
  await using app = await bootMessaging({ controllers: [Handlers], options: { group: uniqueName('g') } });
  const hub = hubOf(app.get(EventBus));
  const signal = AbortSignal.timeout(10_000);
  await hub.driver.publish(
    versions.map(([id, version, data]) => ({
      id,
      topic: 'orders.placed',
      key: id,
      kind: 'event' as const,
      headers: {
        ce_specversion: '1.0',
        ce_id: id,
        ce_source: '/s',
        ce_type: 'orders.placed',
        ce_dataversion: String(version),
        'content-type': 'application/json',
      },
      body: Buffer.from(JSON.stringify(data)),
    })),
    signal,
  );
  const nothing = [{ topic: 'orders.placed', messages: 0 }];
  await eventually(async () =>
    expect(await Promise.all([...hub.members].map(member => member.backlog(signal)))).toEqual([nothing, nothing]),
  );
  const dead = await hub.deadLetters.list({}, { limit: 100 }, signal);
  return { seen, plain, dead: dead.filter(({ group }) => group !== 'plain') };
}

describe('an event of an older version', () => {
  it('is brought up step by step, from wherever it is, and is an instance of the class then', async () => {
    const { seen, plain, dead } = await received(placed, [
      ['a', 1, { id: 'a', total: 7 }],
      ['b', 2, { id: 'b', totalCents: 8 }],
      ['c', 3, { id: 'c', totalCents: 9, currency: 'USD' }],
    ]);
    expect(dead).toEqual([]);
    expect(seen).toEqual([
      [true, { id: 'a', totalCents: 700, currency: 'EUR' }, 3],
      [true, { id: 'b', totalCents: 8, currency: 'EUR' }, 3],
      [true, { id: 'c', totalCents: 9, currency: 'USD' }, 3],
    ]);
    // Handlers that name no definition get the same.
    expect(plain).toEqual(['a', 'b', 'c']);
    expect(steps.filter(step => step.endsWith('b'))).toEqual(['2 b', '2 b']);
  });

  it.each([
    [
      'whose upcast throws',
      ['broken', 1, { id: 'broken', total: 1 }],
      'undecodable',
      { name: 'RangeError', message: 'no such currency' },
    ],
    [
      'that does not fit once it is brought up',
      ['unfit', 2, { id: 'unfit', totalCents: 1 }],
      'invalid',
      { code: 'INFRA_EVENT_INVALID' },
    ],
    [
      'that is newer than is known here',
      ['new', 4, { id: 'new' }],
      'unknown-version',
      { code: 'INFRA_EVENT_UNKNOWN_VERSION' },
    ],
  ] as [string, [string, number, object], string, object][])(
    'is a dead letter at once, as it came, %s',
    async (_what, message, reason, error) => {
      const { seen, dead } = await received(placed, [
        message,
        ['next', 3, { id: 'next', totalCents: 1, currency: 'EUR' }],
      ]);
      expect(dead).toMatchObject([{ reason, attempts: 1, error, message: { key: message[0] } }]);
      expect(JSON.parse(dead[0]!.message.body.toString())).toEqual(message[2]);
      expect(dead[0]!.message.headers['ce_dataversion']).toBe(String(message[1]));
      expect(seen).toHaveLength(1);
    },
  );

  it('is a dead letter where a step is missing', async () => {
    const gap = defineEvent('orders.placed', {
      version: 3,
      schema: OrderV3,
      upcast: { 1: ({ id }: { id: string }) => ({ id }) },
    });
    const { seen, dead } = await received(gap, [
      ['a', 1, { id: 'a', total: 1 }],
      ['b', 2, { id: 'b', totalCents: 1 }],
    ]);
    expect(seen).toEqual([]);
    expect(dead).toMatchObject([
      { reason: 'unknown-version', message: { key: 'a' }, error: { code: 'INFRA_EVENT_UNKNOWN_VERSION' } },
      { reason: 'unknown-version', message: { key: 'b' } },
    ]);
  });
});

describe('a definition', () => {
  it.each([
    ['an upcast from its own version', { version: 2, upcast: { 2: (data: never) => data } }],
    ['an upcast from no version', { version: 2, upcast: { 0: (data: never) => data } }],
    ['a version that is none', { version: 1.5 }],
  ])('is refused with %s', (_what, given) => {
    expect(() => defineEvent('orders.placed', { schema: OrderV3, ...given })).toThrow(
      expect.objectContaining({ code: 'INFRA_EVENT_DEFINITION' }),
    );
  });
});
