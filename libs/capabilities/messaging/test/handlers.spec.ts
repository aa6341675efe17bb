import { eventually, type HttpApp, uniqueName } from '@core-infra/testing';
import { BadRequestException, Controller, ForbiddenException, UseGuards } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { BatchResult, defineEvent, EventBus, MessageContext, MessagingHub, Receive, Subscribe } from '../src/index.js';
import { bootMessaging } from './support/boot-messaging.js';

class Order {
  @IsString() id!: string;
  @IsInt() total!: number;
}

const placed = defineEvent('orders.placed', { schema: Order, key: order => order.id });

const quick = { retry: { firstDelayMs: 5, maxDelayMs: 20, attempts: 3 } };

async function withHandlers(
  controller: new () => object,
  work: (bus: EventBus, app: HttpApp) => Promise<void>,
): Promise<void> {
  Controller()(controller);
  await using app = await bootMessaging({
    controllers: [controller],
    options: { ...quick, group: uniqueName('group') },
  });
  await work(app.get(EventBus), app);
}

const deadOf = async (app: HttpApp) => {
  const hub = app.get<MessagingHub>(MessagingHub as never);
  return hub.deadLetters.list({}, { limit: 100 }, AbortSignal.timeout(1_000));
};

describe('handlers', () => {
  it('@EventPattern and @Subscribe get an event each, as an instance of its class, with its envelope', async () => {
    const seen: unknown[] = [];
    class Handlers {
      @EventPattern('orders.placed')
      plain(@Payload() order: Order): void {
        seen.push(['plain', order.total]);
      }

      @Subscribe(placed, { group: 'other' })
      full(@Payload() order: Order, @Ctx() { event, attempt, group }: MessageContext): void {
        seen.push([order instanceof Order, event.type, event.key, event.version, attempt, group]);
      }
    }
    await withHandlers(Handlers, async bus => {
      await bus.publish(placed.of({ id: 'a', total: 5 }));
      await eventually(() =>
        expect(seen).toEqual(
          expect.arrayContaining([
            ['plain', 5],
            [true, 'orders.placed', 'a', 1, 1, 'other'],
          ]),
        ),
      );
      expect(seen).toHaveLength(2);
    });
  });

  it('keeps the order of a key over retries, while other keys go on', async () => {
    const seen: string[] = [];
    let failures = 2;
    class Handlers {
      @Subscribe(placed)
      handle(@Payload() order: Order): void {
        if (order.id === 'bad' && order.total === 1 && failures-- > 0) throw new Error('not yet');
        seen.push(`${order.id}${order.total}`);
      }
    }
    await withHandlers(Handlers, async bus => {
      for (const total of [1, 2, 3]) {
        await bus.publish(placed.of({ id: 'bad', total }));
        await bus.publish(placed.of({ id: 'good', total }));
      }
      await eventually(() => expect(seen).toHaveLength(6));
      expect(seen.filter(text => text.startsWith('bad'))).toEqual(['bad1', 'bad2', 'bad3']);
      expect(seen.filter(text => text.startsWith('good'))).toEqual(['good1', 'good2', 'good3']);
      expect(seen.indexOf('good3')).toBeLessThan(seen.indexOf('bad1'));
    });
  });

  it('gives a message up after its attempts, with the error as it was thrown, and goes on with its key', async () => {
    const seen: number[] = [];
    let tries = 0;
    class Handlers {
      @Subscribe(placed)
      handle(@Payload() order: Order): void {
        if (order.total === 1) {
          tries += 1;
          throw new RangeError('never');
        }
        seen.push(order.total);
      }
    }
    await withHandlers(Handlers, async (bus, app) => {
      await bus.publish(placed.of({ id: 'a', total: 1 }));
      await bus.publish(placed.of({ id: 'a', total: 2 }));
      await eventually(() => expect(seen).toEqual([2]));
      expect(tries).toBe(3);
      expect(await deadOf(app)).toMatchObject([
        {
          reason: 'attempts',
          attempts: 3,
          error: { name: 'RangeError', message: 'never' },
          message: { key: 'a', topic: 'orders.placed' },
        },
      ]);
    });
  });

  it('does not count attempts that failed since a server was away', async () => {
    let tries = 0;
    class Handlers {
      @Subscribe(placed)
      handle(): void {
        if ((tries += 1) < 8) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      }
    }
    await withHandlers(Handlers, async (bus, app) => {
      await bus.publish(placed.of({ id: 'a', total: 1 }));
      await eventually(() => expect(tries).toBe(8));
      expect(await deadOf(app)).toEqual([]);
    });
  });

  it.each([
    ['a bad request', new BadRequestException('no'), 'BadRequestException'],
    ['a refusal', new ForbiddenException(), 'ForbiddenException'],
  ])('does not try again what cannot help: %s', async (_what, error, name) => {
    let tries = 0;
    class Handlers {
      @Subscribe(placed)
      handle(): void {
        tries += 1;
        throw error;
      }
    }
    await withHandlers(Handlers, async (bus, app) => {
      await bus.publish(placed.of({ id: 'a', total: 1 }));
      await eventually(async () =>
        expect(await deadOf(app)).toMatchObject([{ reason: 'not-retryable', error: { name } }]),
      );
      expect(tries).toBe(1);
    });
  });

  it('sees a guard’s refusal, with its class', async () => {
    class Closed {
      canActivate(): boolean {
        return false;
      }
    }
    class Handlers {
      handle(): void {}
    }
    UseGuards(new Closed())(
      Handlers.prototype,
      'handle',
      Object.getOwnPropertyDescriptor(Handlers.prototype, 'handle')!,
    );
    Subscribe(placed)(Handlers.prototype, 'handle', Object.getOwnPropertyDescriptor(Handlers.prototype, 'handle')!);
    await withHandlers(Handlers, async (bus, app) => {
      await bus.publish(placed.of({ id: 'a', total: 1 }));
      await eventually(async () => expect(await deadOf(app)).toHaveLength(1));
    });
  });

  it('takes batches, and tries again what has failed of one', async () => {
    const batches: string[][] = [];
    let failed = false;
    class Handlers {
      @Subscribe(placed, { batch: { size: 10, waitMs: 20 } })
      handle(@Payload() orders: Order[]): BatchResult {
        batches.push(orders.map(({ id }) => id));
        if (failed) return BatchResult.done;
        failed = true;
        return BatchResult.failed([[1, new Error('once')]]);
      }
    }
    await withHandlers(Handlers, async bus => {
      await bus.publishBatch(['a', 'b', 'c'].map((id, total) => placed.of({ id, total })));
      await eventually(() => expect(batches.flat()).toEqual(['a', 'b', 'c', 'b']));
      expect(batches[0]).toEqual(['a', 'b', 'c']);
    });
  });

  it('finds the one to blame when a whole batch fails', async () => {
    const done: string[] = [];
    class Handlers {
      @Subscribe(placed, { batch: { size: 10, waitMs: 20 } })
      handle(@Payload() orders: Order[]): void {
        if (orders.some(({ id }) => id === 'bad')) throw new Error('bad');
        done.push(...orders.map(({ id }) => id));
      }
    }
    await withHandlers(Handlers, async (bus, app) => {
      await bus.publishBatch(['a', 'bad', 'c'].map((id, total) => placed.of({ id, total })));
      await eventually(async () => expect(await deadOf(app)).toHaveLength(1));
      expect(done.sort()).toEqual(['a', 'c']);
    });
  });

  it('gives a task to one receiver, which may come later', async () => {
    const seen: number[] = [];
    class Handlers {
      @Receive(placed)
      handle(@Payload() order: Order): void {
        seen.push(order.total);
      }
    }
    await withHandlers(Handlers, async bus => {
      await bus.send(placed.of({ id: 'a', total: 7 }));
      await eventually(() => expect(seen).toEqual([7]));
    });
  });

  it('counts an attempt that does not end as failed, and aborts its signal', async () => {
    let aborted = 0;
    const seen: string[] = [];
    class Handlers {
      @Subscribe(placed, { timeoutMs: 30, retry: { attempts: 2 } })
      async handle(@Payload() { id }: Order, @Ctx() { signal }: MessageContext): Promise<void> {
        if (id !== 'hangs') return void seen.push(id);
        signal.addEventListener('abort', () => (aborted += 1));
        return new Promise(() => undefined);
      }
    }
    await withHandlers(Handlers, async (bus, app) => {
      await bus.publishBatch([placed.of({ id: 'hangs', total: 1 }), placed.of({ id: 'other', total: 1 })]);
      await eventually(async () =>
        expect(await deadOf(app)).toMatchObject([{ error: { code: 'INFRA_HANDLER_TIMEOUT' } }]),
      );
      expect(aborted).toBe(2);
      expect(seen).toEqual(['other']);
    });
  });
});
