import { Controller, Get } from '@nestjs/common';
import { CustomTransportStrategy, EventPattern, MessagePattern, Payload, Server } from '@nestjs/microservices';
import { HttpModule } from '@core-infra/http';
import { bootHttp, type HttpApp, type Importable } from '@core-infra/testing';
import { isObservable, lastValueFrom } from 'rxjs';
import { RateLimit, RateLimitedError, RateLimitModule } from '../../src/index.js';

const minute = 60_000;

interface Order {
  readonly customer: string;
}

@Controller()
class OrdersHandlers {
  readonly handled: Order[] = [];

  @EventPattern('order.placed')
  @RateLimit({ limit: 2, windowMs: minute, by: ({ args: [order] }) => (order as Order).customer })
  placed(@Payload() order: Order): void {
    this.handled.push(order);
  }

  @MessagePattern('order.count')
  @RateLimit({ limit: 1, windowMs: minute })
  count(): number {
    return this.handled.length;
  }

  @MessagePattern('order.free')
  free(): string {
    return 'free';
  }
}

@Controller()
class MixedController {
  @Get('both')
  @MessagePattern('both')
  @RateLimit({ limit: 1, windowMs: minute })
  both(): string {
    return 'both';
  }
}

/** A transport within the process: what a broker's client would call. */
class Loopback extends Server implements CustomTransportStrategy {
  listen(done: () => void): void {
    done();
  }
  close(): void {
    return;
  }
  on(): void {
    return;
  }
  unwrap<T>(): T {
    return this as unknown as T;
  }
  async deliver(pattern: string, data: unknown): Promise<unknown> {
    const handler = this.messageHandlers.get(pattern)!;
    const result: unknown = await handler(data, {});
    return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
  }
}

async function bootHybrid(modules: Importable[]): Promise<{ app: HttpApp; transport: Loopback }> {
  const transport = new Loopback();
  class HandlersModule {}
  const handlers = { module: HandlersModule, controllers: [OrdersHandlers, MixedController] };
  const app = await bootHttp('fastify', [...modules, handlers], {
    setUp: async host => {
      host.connectMicroservice({ strategy: transport }, { inheritAppConfig: true });
      await host.startAllMicroservices();
    },
  });
  return { app, transport };
}

const setUps: [string, Importable[]][] = [
  ['by itself', [RateLimitModule.forRoot({ default: { limit: 1 } })]],
  [
    'beside HttpModule',
    [HttpModule.forRoot({ docsUrl: '', prefix: '' }), RateLimitModule.forRoot({ default: { limit: 1 } })],
  ],
  [
    'before HttpModule',
    [RateLimitModule.forRoot({ default: { limit: 1 } }), HttpModule.forRoot({ docsUrl: '', prefix: '' })],
  ],
];

describe.each(setUps)('message handlers, %s', (_how, modules) => {
  it('are refused with an error that the transport sees, and do not run', async () => {
    const { app, transport } = await bootHybrid(modules);
    await using _app = app;
    const handlers = app.get(OrdersHandlers);
    const place = (customer: string): Promise<unknown> => transport.deliver('order.placed', { customer });
    await place('ann');
    await place('ann');
    await expect(place('ann')).rejects.toBeInstanceOf(RateLimitedError);
    await place('bob');
    expect(handlers.handled.map(({ customer }) => customer)).toEqual(['ann', 'ann', 'bob']);
    expect(await transport.deliver('order.count', {})).toBe(3);
    await expect(transport.deliver('order.count', {})).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      limit: 'OrdersHandlers.count',
    });
  });

  it('have no default: a broker is not to be told to come back later', async () => {
    const { app, transport } = await bootHybrid(modules);
    await using _app = app;
    for (let call = 0; call < 3; call += 1) expect(await transport.deliver('order.free', {})).toBe('free');
  });

  it('may be handlers of requests as well', async () => {
    const { app, transport } = await bootHybrid(modules);
    await using _app = app;
    expect([(await app.fetch('/both')).status, (await app.fetch('/both')).status]).toEqual([200, 429]);
    expect(await transport.deliver('both', {})).toBe('both');
    await expect(transport.deliver('both', {})).rejects.toBeInstanceOf(RateLimitedError);
  });
});
