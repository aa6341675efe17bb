import { type ArgumentsHost, Catch, Controller, type ExceptionFilter, Get, Logger } from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import { ApiErrors, createOpenApiDocument, HttpModule } from '@core-infra/http';
import { RedisModule } from '@core-infra/redis';
import { bootHttp, httpAdapters, type Importable } from '@core-infra/testing';
import { RateLimit, RateLimitedError, RateLimitModule } from '../../src/index.js';
import { statuses, structuredList } from './support.js';

@Controller()
class LoginController {
  @Get('login')
  @ApiErrors(RateLimitedError)
  @RateLimit({ limit: 1, windowMs: 60_000, name: 'login' })
  login(): string {
    return 'welcome';
  }

  @Get('closed')
  @RateLimit({ limit: 1, windowMs: 60_000, name: 'payments', onFailure: 'closed' })
  closed(): string {
    return 'paid';
  }

  @Get('open')
  @RateLimit({ limit: 1, windowMs: 60_000, name: 'reads', onFailure: 'open' })
  open(): string {
    return 'read';
  }
}

@Catch(RateLimitedError)
class OwnFilter implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}
  catch(error: RateLimitedError, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { mine: error.limit }, 429);
  }
}

class LoginModule {}
const login = { module: LoginModule, controllers: [LoginController] };
const http = HttpModule.forRoot({ docsUrl: '', prefix: '' });

describe.each(httpAdapters)('refusals on %s', adapter => {
  const orders: [string, Importable[]][] = [
    ['before', [http, RateLimitModule.forRoot(), login]],
    ['after', [RateLimitModule.forRoot(), http, login]],
  ];

  it.each(orders)('have the standard error body where HttpModule is imported %s', async (_where, modules) => {
    await using app = await bootHttp(adapter, modules);
    expect(await statuses(app, '/login', 1)).toEqual([200]);
    const refused = await app.fetch('/login', { headers: { 'x-request-id': 'r-1' } });
    expect(refused.status).toBe(429);
    const body = (await refused.json()) as { details: { retry_after_ms: number } };
    expect(body).toEqual({
      success: false,
      error: 'Too many requests',
      error_code: 'RATE_LIMITED',
      details: { request_id: 'r-1', limit: 'login', retry_after_ms: expect.any(Number) },
    });
    const seconds = Math.ceil(body.details.retry_after_ms / 1_000);
    expect(refused.headers.get('retry-after')).toBe(String(seconds));
    expect(structuredList(refused.headers.get('ratelimit'))).toEqual([{ value: 'login', r: 0, t: seconds }]);
    const problem = await app.fetch('/login', { headers: { accept: 'application/problem+json' } });
    expect(await problem.json()).toMatchObject({ status: 429, error_code: 'RATE_LIMITED', limit: 'login' });
  });

  it('are Nest’s own without it, and no failures in the log', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    await using app = await bootHttp(adapter, [RateLimitModule.forRoot(), login]);
    expect(await statuses(app, '/login', 1)).toEqual([200]);
    const refused = await app.fetch('/login');
    expect([refused.status, await refused.json()]).toEqual([429, { statusCode: 429, message: 'Too many requests' }]);
    expect(logged).not.toHaveBeenCalled();
    logged.mockRestore();
  });

  it('are left to the app’s own filter, wherever it stands', async () => {
    class FilterModule {}
    const filter = { module: FilterModule, providers: [{ provide: APP_FILTER, useClass: OwnFilter }] };
    const orderings = [
      [filter, RateLimitModule.forRoot(), login],
      [RateLimitModule.forRoot(), filter, login],
      [filter, http, RateLimitModule.forRoot(), login],
      [RateLimitModule.forRoot(), http, filter, login],
    ];
    for (const modules of orderings) {
      await using app = await bootHttp(adapter, modules);
      expect(await statuses(app, '/login', 1)).toEqual([200]);
      expect(await (await app.fetch('/login')).json()).toEqual({ mine: 'login' });
    }
  });

  it('are 503 while the store is away and the limit is closed, and none where it is open', async () => {
    const away = [
      RedisModule.forRoot({ url: 'redis://127.0.0.1:1', startup: 'background' }),
      RateLimitModule.forRoot({ driver: 'redis' }),
    ];
    await using app = await bootHttp(adapter, [http, ...away, login]);
    const closed = await app.fetch('/closed');
    expect([closed.status, ((await closed.json()) as { error_code: string }).error_code]).toEqual([
      503,
      'INFRA_RATE_LIMIT_UNAVAILABLE',
    ]);
    expect(Number(closed.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await statuses(app, '/open', 3)).toEqual([200, 200, 200]);
    expect(await statuses(app, '/login', 2)).toEqual([200, 429]);
    await using plain = await bootHttp(adapter, [...away, login]);
    const answer = await plain.fetch('/closed');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { statusCode: 503, message: 'The service is not available at the moment' },
    ]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  it('are described in the OpenAPI document', async () => {
    await using app = await bootHttp(adapter, [http, RateLimitModule.forRoot(), login]);
    const document = await createOpenApiDocument(app);
    expect(document.paths['/login']!.get!.responses['429']).toMatchObject({
      description: expect.stringContaining('`RATE_LIMITED`'),
    });
  });
});
