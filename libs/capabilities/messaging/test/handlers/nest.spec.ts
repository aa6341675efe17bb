import { bootScope } from '@core-infra/kernel';
import { eventually, uniqueName } from '@core-infra/testing';
import {
  type ArgumentsHost,
  BadRequestException,
  type CallHandler,
  Catch,
  Controller,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  Module,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { EMPTY, map } from 'rxjs';
import {
  EventBus,
  getEventBusToken,
  InjectEventBus,
  MessageContext,
  MessagingHub,
  MessagingModule,
  Subscribe,
} from '../../src/index.js';
import { hubOf } from '../../src/bus/open-bus.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { deadOf, one, options, Order, placed } from './fixtures/placed.js';

describe('what Nest has for handlers', () => {
  it('applies: guards, interceptors and pipes of the app, of the class and of a parameter', async () => {
    const seen: string[] = [];
    const guard = (name: string) => ({
      canActivate: (context: ExecutionContext) => seen.push(`${name} ${context.getType()}`) > 0,
    });
    const interceptor = (name: string) => ({
      intercept: (_context: ExecutionContext, next: CallHandler) => {
        seen.push(`before ${name}`);
        return next.handle().pipe(map(value => (seen.push(`after ${name}`), value as unknown)));
      },
    });
    @Controller()
    @UseGuards(guard('own'))
    @UseInterceptors(interceptor('own'))
    class Handlers {
      @Subscribe(placed)
      handle(@Payload('total', ParseIntPipe) total: number, @Ctx() { attempt }: MessageContext): void {
        seen.push(`handled ${total} ${attempt}`);
      }
    }
    @Module({
      providers: [
        { provide: APP_GUARD, useValue: guard('app') },
        { provide: APP_INTERCEPTOR, useValue: interceptor('app') },
        { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true, transform: true }) },
      ],
    })
    class AppWide {}
    await using app = await bootMessaging({ imports: [AppWide], controllers: [Handlers], options });
    await app.get(EventBus).publish(one);
    await eventually(() => expect(seen.at(-1)).toBe('after app'));
    expect(seen).toEqual(['app rpc', 'own rpc', 'before app', 'before own', 'handled 1 1', 'after own', 'after app']);
  });

  it('makes a controller of its own for each message, where it is request-scoped', async () => {
    const made: object[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class PerMessage {}
    @Controller({ scope: Scope.REQUEST })
    class Handlers {
      constructor(@Inject(PerMessage) private readonly own: PerMessage) {}
      @Subscribe(placed)
      handle(): void {
        made.push(this.own);
      }
    }
    @Module({ providers: [PerMessage], exports: [PerMessage] })
    class Provides {}
    @Module({ imports: [Provides], controllers: [Handlers] })
    class Feature {}
    await using app = await bootMessaging({ imports: [Feature], options });
    await app.get(EventBus).publishBatch([one, placed.of({ id: 'b', total: 1 })]);
    await eventually(() => expect(made).toHaveLength(2));
    expect(made[0]).toBeInstanceOf(PerMessage);
    expect(made[0]).not.toBe(made[1]);
  });

  it('lets a filter of the app change an error, or swallow it: then the message is done', async () => {
    @Catch(RangeError)
    class Swallows {
      catch(): unknown {
        return EMPTY;
      }
    }
    @Catch(SyntaxError)
    class Changes {
      catch(_error: unknown, _host: ArgumentsHost): never {
        throw new BadRequestException('changed');
      }
    }
    let tries = 0;
    @Controller()
    @UseFilters(new Swallows(), new Changes())
    class Handlers {
      @Subscribe(placed)
      handle(@Payload() { id }: Order): void {
        tries += 1;
        throw id === 'swallowed' ? new RangeError('x') : new SyntaxError('x');
      }
    }
    await using app = await bootMessaging({ controllers: [Handlers], options });
    const bus = app.get(EventBus);
    await bus.publish(placed.of({ id: 'swallowed', total: 1 }));
    await bus.publish(placed.of({ id: 'changed', total: 1 }));
    await eventually(async () => expect(await deadOf(bus)).toHaveLength(1));
    await eventually(() => expect([...hubOf(bus).members][0]!.state.inFlight).toBe(0));
    expect(tries).toBe(2);
    expect(await deadOf(bus)).toMatchObject([
      {
        reason: 'not-retryable',
        message: { key: 'changed' },
        error: { name: 'BadRequestException', message: 'changed' },
      },
    ]);
  });

  it('leaves handlers of other transports alone, and requests', async () => {
    const seen: string[] = [];
    @Controller()
    class Handlers {
      @EventPattern({ cmd: 'x' }, Transport.TCP) tcp(): void {}
      @(MessagePattern('orders.placed') as MethodDecorator)
      request(): void {
        seen.push('request');
      }
      @(EventPattern('orders.placed') as MethodDecorator)
      event(): void {
        seen.push('event');
      }
    }
    await using app = await bootMessaging({ controllers: [Handlers], options });
    await app.get(EventBus).publish(one);
    await eventually(() => expect(seen).toEqual(['event']));
  });

  it.each([
    ['a pattern that is no text', EventPattern({ cmd: 'x' }), /name that: @EventPattern\(…, Transport\.TCP\)/],
    ['a bus that is not there', Subscribe(placed, { bus: 'audit' }), /names the bus "audit"/],
    ['a batch of none', Subscribe(placed, { batch: { size: 0 } }), /batch\.size: 0/],
    ['a pause that is no number', Subscribe(placed, { retry: { factor: Number.NaN } }), /retry\.factor: NaN/],
    ['a time that no timer takes', Subscribe(placed, { timeoutMs: 2 ** 31 }), /timeoutMs: 2147483648/],
  ])('is refused at boot with %s', async (_what, decorate, says) => {
    class Handlers {
      handle(): void {}
    }
    (decorate as MethodDecorator)(
      Handlers.prototype,
      'handle',
      Object.getOwnPropertyDescriptor(Handlers.prototype, 'handle')!,
    );
    Controller()(Handlers);
    await expect(bootMessaging({ controllers: [Handlers], options })).rejects.toThrow(says);
  });
});

describe('buses by name', () => {
  it('feed the handlers that name them, and no others', async () => {
    const seen: string[] = [];
    @Controller()
    class Handlers {
      constructor(
        @Inject(EventBus) readonly bus: EventBus,
        @InjectEventBus('audit') readonly audit: EventBus,
      ) {}
      @Subscribe(placed) plain(@Payload() { id }: Order): void {
        seen.push(`default ${id}`);
      }
      @Subscribe(placed, { bus: 'audit' }) audited(@Payload() { id }: Order): void {
        seen.push(`audit ${id}`);
      }
    }
    await using app = await bootMessaging({
      imports: [MessagingModule.forRoot({ name: 'audit' })],
      controllers: [Handlers],
      options,
    });
    await app.get(EventBus).publish(placed.of({ id: 'a', total: 1 }));
    await app.get<EventBus>(getEventBusToken('audit') as never).publish(placed.of({ id: 'b', total: 1 }));
    await eventually(() => expect(seen.toSorted()).toEqual(['audit b', 'default a']));
  });

  it('feed them once, however often the module is imported', async () => {
    let handled = 0;
    @Controller()
    class Handlers {
      @Subscribe(placed) handle(): void {
        handled += 1;
      }
    }
    await using app = await bootMessaging({
      imports: [MessagingModule.forRoot(options)],
      controllers: [Handlers],
      options,
    });
    const hub = app.get<MessagingHub>(MessagingHub as never);
    await app.get(EventBus).publish(one);
    await eventually(() => expect(handled).toBe(1));
    expect(hub.members.size).toBe(1);
  });
});

describe('two apps in one process', () => {
  it('have nothing of each other', async () => {
    const seen: string[] = [];
    const handlers = (name: string) => {
      @Controller()
      class Handlers {
        @Subscribe(placed) handle(): void {
          seen.push(name);
        }
      }
      return Handlers;
    };
    await using first = await bootMessaging({ controllers: [handlers('first')], options });
    await using second = await bootMessaging({ controllers: [handlers('second')], options });
    await first.get(EventBus).publish(one);
    await eventually(() => expect(seen).toEqual(['first']));
    await first.close();
    await second.get(EventBus).publish(one);
    await eventually(() => expect(seen).toEqual(['first', 'second']));
  });
});

describe('an app without an adapter', () => {
  it('says that nobody feeds its handlers', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    @Controller()
    class StockHandlers {
      @Subscribe(placed) reserve(): void {}
    }
    @Module({ imports: [MessagingModule.forRoot({ source: uniqueName('/s') })], controllers: [StockHandlers] })
    class AppModule {}
    const app = await bootScope.run(new Set(), () =>
      NestFactory.createApplicationContext(AppModule, { logger: ['warn'] }),
    );
    await app.close();
    const said = warned.mock.calls.map(([message]) => String(message)).filter(text => text.includes('feeds'));
    warned.mockRestore();
    expect(said).toEqual([expect.stringMatching(/StockHandlers\.reserve\. Boot it without/)]);
  });
});
