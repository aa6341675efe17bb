import {
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  type INestApplication,
  Logger,
  Module,
  UseFilters,
} from '@nestjs/common';
import {
  type BooleanFlagKey,
  FeatureFlags,
  FeatureFlagsModule,
  type FlagKey,
  FeatureGate,
  FeatureOffError,
  Flag,
  overrideFlags,
} from '../../src/index.js';
import { HttpModule, configureHttp } from '@core-infra/http';
import { bootHttp, httpAdapters } from '@core-infra/testing';
import { type CustomTransportStrategy, MessagePattern, Server } from '@nestjs/microservices';
import { lastValueFrom, type Observable, throwError } from 'rxjs';

const key = (name: string) => name as BooleanFlagKey;
const any = (name: string) => name as FlagKey as never;
const roles = (context: { switchToHttp(): { getRequest<T>(): T } }) => {
  const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
  return { roles: (headers['x-roles'] ?? '').split(','), targetingKey: headers['x-user'] };
};

/** Nest tells a strategy nothing of an error but that there was one. */
@Catch(FeatureOffError)
class Rethrow implements ExceptionFilter {
  catch(error: FeatureOffError): Observable<never> {
    return throwError(() => error);
  }
}

class InProcess extends Server implements CustomTransportStrategy {
  listen(done: () => void): void {
    done();
  }

  close(): void {
    this.messageHandlers.clear();
  }

  on(): never {
    throw new Error('has no events');
  }

  unwrap(): never {
    throw new Error('wraps nothing');
  }

  async ask(pattern: string): Promise<unknown> {
    return lastValueFrom(this.transformToObservable((await this.messageHandlers.get(pattern)?.({})) as unknown));
  }
}

@Controller('dashboard')
@FeatureGate(key('new-dashboard'))
class DashboardController {
  @Get()
  show(): string {
    return 'new';
  }

  @Get('charts')
  @FeatureGate(key('charts'), { status: 403, context: roles })
  charts(): string {
    return 'charts';
  }
}

@Controller('shop')
class ShopController {
  @Get('banner')
  banner(@Flag(any('banner'), { context: roles }) banner: string): { banner: string } {
    return { banner };
  }

  @Get('unknown')
  unknown(@Flag(any('unknown'), { fallback: 'b' as never }) banner: string): { banner: string } {
    return { banner };
  }

  @Get('beta')
  @FeatureGate(key('unknown'), { fallback: true })
  beta(): string {
    return 'beta';
  }

  @MessagePattern('orders.created')
  @UseFilters(new Rethrow())
  @FeatureGate(key('new-dashboard'))
  handle(@Flag(any('banner')) banner: string): string {
    return banner;
  }
}

@Module({ controllers: [DashboardController, ShopController] })
class ShopModule {}

const flags = {
  'new-dashboard': false,
  charts: { roles: ['staff'] },
  banner: {
    state: 'ENABLED' as const,
    variants: { a: 'A', b: 'B' },
    defaultVariant: 'a',
    targeting: { if: [{ in: [{ var: 'targetingKey' }, ['bob']] }, 'b', 'a'] },
  },
};

beforeEach(() => jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined));
afterEach(() => jest.restoreAllMocks());

describe.each(httpAdapters)('on %s', adapter => {
  const boot = () =>
    bootHttp(adapter, [HttpModule.forRoot({ prefix: '' }), FeatureFlagsModule.forRoot({ flags }), ShopModule], {
      setUp: (app: INestApplication) => configureHttp(app),
    });

  it('a gate hides what its flag is off for: as if there were no such route', async () => {
    await using app = await boot();
    const [hidden, missing] = await Promise.all([app.fetch('/dashboard?a=1'), app.fetch('/dashboards?a=1')]);
    const bodyOf = async (response: Response) => {
      const { details: _, ...body } = (await response.json()) as { details: unknown };
      return JSON.stringify(body).replaceAll('/dashboards', '/dashboard');
    };
    expect([hidden.status, missing.status]).toEqual([404, 404]);
    expect(await bodyOf(hidden)).toBe(await bodyOf(missing));
  });

  it('gates of a controller and of its handler must both be open', async () => {
    await using app = await boot();
    const staff = { headers: { 'x-roles': 'staff' } };
    expect((await app.fetch('/dashboard/charts', staff)).status).toBe(404);
    const undo = overrideFlags(app.get(FeatureFlags), { 'new-dashboard': true });
    expect(await (await app.fetch('/dashboard')).text()).toBe('new');
    expect((await app.fetch('/dashboard/charts')).status).toBe(403);
    expect(await (await app.fetch('/dashboard/charts', staff)).text()).toBe('charts');
    undo();
    expect((await app.fetch('/dashboard')).status).toBe(404);
  });

  it('a parameter is the value of the flag for the caller, or its fallback', async () => {
    await using app = await boot();
    const get = async (path: string, user = '') =>
      (await (await app.fetch(path, { headers: { 'x-user': user } })).json()) as unknown;
    expect(await get('/shop/banner')).toEqual({ banner: 'A' });
    expect(await get('/shop/banner', 'bob')).toEqual({ banner: 'B' });
    expect(await get('/shop/unknown')).toEqual({ banner: 'b' });
    expect(await (await app.fetch('/shop/beta')).text()).toBe('beta');
  });
});

describe('handlers of messages', () => {
  it('fail behind a closed gate, and are handed flags as well', async () => {
    const strategy = new InProcess();
    await using app = await bootHttp('express', [FeatureFlagsModule.forRoot({ flags }), ShopModule], {
      setUp: async created => {
        created.connectMicroservice({ strategy }, { inheritAppConfig: true });
        await created.startAllMicroservices();
      },
    });
    await expect(strategy.ask('orders.created')).rejects.toMatchObject({
      code: 'INFRA_FEATURE_OFF',
      flag: 'new-dashboard',
      status: 404,
    });
    overrideFlags(app.get(FeatureFlags), { 'new-dashboard': true });
    expect(await strategy.ask('orders.created')).toBe('A');
  });
});
