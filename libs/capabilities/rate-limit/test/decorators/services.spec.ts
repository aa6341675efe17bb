import { Controller, Get, Injectable } from '@nestjs/common';
import { ContextModule } from '@core-infra/context';
import { RequestContext } from '@core-infra/kernel';
import { bootHttp, bootInfra, httpAdapters, type InfraApp } from '@core-infra/testing';
import { RateLimit, RateLimitedError, RateLimitModule, RateLimitNotWiredError } from '../../src/index.js';
import { statuses } from '../http/support.js';

const minute = 60_000;

function Doubled(): MethodDecorator {
  return (_target, _key, descriptor: PropertyDescriptor) => {
    const original = descriptor.value as (...args: unknown[]) => Promise<unknown>;
    const value = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return [await original.apply(this, args)];
    };
    for (const key of Reflect.getMetadataKeys(original) as unknown[])
      Reflect.defineMetadata(key, Reflect.getMetadata(key, original), value);
    descriptor.value = value;
  };
}

@Injectable()
class MailService {
  readonly sent: string[] = [];

  @RateLimit({ limit: 2, windowMs: minute })
  async send(to: string): Promise<string> {
    this.sent.push(to);
    return `sent to ${to}`;
  }

  @RateLimit({ limit: 1, windowMs: minute, by: ({ args: [to] }) => to as string, name: 'mail-to' })
  async sendOnce(to: string): Promise<string> {
    return `once to ${to}`;
  }

  @RateLimit({ limit: 3, windowMs: minute, by: 'everyone', cost: ({ args: [all] }) => (all as string[]).length })
  async sendAll(all: string[]): Promise<number> {
    return all.length;
  }

  @RateLimit({ limit: 5, windowMs: 1_000 })
  @Doubled()
  @RateLimit({ limit: 2, windowMs: minute })
  async wrapped(): Promise<string> {
    return 'wrapped';
  }

  async all(): Promise<string[]> {
    return [await this.send('a'), await this.send('b')];
  }
}

@Injectable()
class ExtendedService extends MailService {
  override async send(to: string): Promise<string> {
    return `${await super.send(to)}, extended`;
  }
}

const mail = { module: class MailModule {}, providers: [MailService, ExtendedService], exports: [MailService] };
const boot = (): Promise<InfraApp> => bootInfra(ContextModule.forRoot(), RateLimitModule.forRoot(), mail);
const limited = expect.objectContaining({ code: 'RATE_LIMITED', status: 429, limit: 'MailService.send' });

describe('a method of a service', () => {
  it('asks before it runs, whoever calls it, and rejects when it may not', async () => {
    await using app = await boot();
    const service = app.get(MailService);
    expect(await service.send('a')).toBe('sent to a');
    expect(await service.all().catch((error: unknown) => error)).toEqual(limited);
    expect(service.sent).toEqual(['a', 'a']);
    await expect(service.send('d')).rejects.toBeInstanceOf(RateLimitedError);
  });

  it('counts by the user of the request context, and calls without one together', async () => {
    await using app = await boot();
    const service = app.get(MailService);
    const context = app.get(RequestContext);
    const as = (userId: string | undefined, times: number): Promise<unknown[]> =>
      context.run({ userId }, async () => {
        const outcomes: unknown[] = [];
        for (let call = 0; call < times; call += 1)
          outcomes.push(
            await service.send('x').then(
              () => 'sent',
              (error: Error) => error.name,
            ),
          );
        return outcomes;
      });
    expect(await as('ann', 3)).toEqual(['sent', 'sent', 'RateLimitedError']);
    expect(await as('bob', 3)).toEqual(['sent', 'sent', 'RateLimitedError']);
    expect(await as(undefined, 3)).toEqual(['sent', 'sent', 'RateLimitedError']);
  });

  it('counts by what a function makes of the arguments, and costs what one says', async () => {
    await using app = await boot();
    const service = app.get(MailService);
    expect(await service.sendOnce('a')).toBe('once to a');
    expect(await service.sendOnce('b')).toBe('once to b');
    await expect(service.sendOnce('a')).rejects.toMatchObject({ limit: 'mail-to' });
    expect(await service.sendAll(['a', 'b'])).toBe(2);
    await expect(service.sendAll(['c', 'd'])).rejects.toMatchObject({ limit: 'MailService.sendAll' });
    expect(await service.sendAll(['c'])).toBe(1);
    await expect(service.sendAll(['1', '2', '3', '4'])).rejects.toMatchObject({
      retryAfterMs: Infinity,
      retryable: false,
    });
  });

  it('with several limits and another decorator between them asks once', async () => {
    await using app = await boot();
    const service = app.get(MailService);
    expect(await service.wrapped()).toEqual(['wrapped']);
    expect(await service.wrapped()).toEqual(['wrapped']);
    await expect(service.wrapped()).rejects.toMatchObject({ limit: 'MailService.wrapped' });
  });

  it('is limited for those that extend it too', async () => {
    await using app = await boot();
    const service = app.get(ExtendedService);
    expect(await service.send('a')).toBe('sent to a, extended');
    expect(await service.send('b')).toBe('sent to b, extended');
    await expect(service.send('c')).rejects.toBeInstanceOf(RateLimitedError);
  });

  it('keeps each app’s counts apart, and its own name', async () => {
    await using one = await boot();
    await using two = await boot();
    for (const app of [one, two]) expect(await app.get(MailService).all()).toEqual(['sent to a', 'sent to b']);
    expect(Reflect.get(MailService.prototype, 'send').name).toBe('send');
  });

  it('of an object that Nest did not make says so', () => {
    expect(() => new MailService().send('a')).toThrow(RateLimitNotWiredError);
  });

  it.each(httpAdapters)('answers a request that calls it with 429 on %s', async adapter => {
    @Controller()
    class MailController {
      constructor(private readonly service: MailService) {}
      @Get()
      send(): Promise<string> {
        return this.service.send('a');
      }
    }
    const web = { module: class WebModule {}, controllers: [MailController], imports: [mail] };
    await using app = await bootHttp(adapter, [RateLimitModule.forRoot(), web]);
    expect(await statuses(app, '/', 2)).toEqual([200, 200]);
    const refused = await app.fetch('/');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
  });
});
