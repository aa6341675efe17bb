import { Controller, type DynamicModule, Get } from '@nestjs/common';
import { HealthModule } from '@core-infra/health';
import { bootHttp, httpAdapters } from '@core-infra/testing';
import { RateLimit, RateLimitModule, SkipRateLimit } from '../../src/index.js';
import { bootLimited, statuses, structuredList } from './support.js';

@Controller()
class PlainController {
  @Get('one') one(): string {
    return 'one';
  }
  @Get('two') two(): string {
    return 'two';
  }
  @SkipRateLimit()
  @Get('free')
  free(): string {
    return 'free';
  }
}

describe.each(httpAdapters)('the default limit on %s', adapter => {
  it('is 100 per 60 s for each address, counted over all handlers, and announced on every answer', async () => {
    await using app = await bootLimited(adapter, PlainController);
    const first = await app.fetch('/one');
    expect(first.status).toBe(200);
    expect(structuredList(first.headers.get('ratelimit-policy'))).toEqual([{ value: 'default', q: 100, w: 60 }]);
    expect(structuredList(first.headers.get('ratelimit'))).toEqual([{ value: 'default', r: 99, t: 60 }]);
    expect(first.headers.get('retry-after')).toBeNull();
    const second = await app.fetch('/two');
    expect(structuredList(second.headers.get('ratelimit'))[0]).toMatchObject({ r: 98 });
  });

  it('refuses with 429 and says when to come back', async () => {
    await using app = await bootLimited(adapter, PlainController, { default: { limit: 2, windowMs: 60_000 } });
    expect(await statuses(app, '/one', 2)).toEqual([200, 200]);
    const refused = await app.fetch('/two');
    expect([refused.status, await refused.json()]).toEqual([429, { statusCode: 429, message: 'Too many requests' }]);
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(20);
    expect(retryAfter).toBeLessThanOrEqual(30);
    expect(structuredList(refused.headers.get('ratelimit'))).toEqual([{ value: 'default', r: 0, t: retryAfter }]);
  });

  it('leaves out what says so, and everything when it is off', async () => {
    await using app = await bootLimited(adapter, PlainController, { default: { limit: 1 } });
    expect(await statuses(app, '/free', 3)).toEqual([200, 200, 200]);
    expect((await app.fetch('/free')).headers.get('ratelimit')).toBeNull();
    await using off = await bootLimited(adapter, PlainController, { default: { limit: 1, enabled: false } });
    expect(await statuses(off, '/one', 3)).toEqual([200, 200, 200]);
  });

  it('counts a request once where the module is imported twice', async () => {
    @Controller('late')
    class LateController {
      @Get()
      @RateLimit({ limit: 1, windowMs: 60_000 })
      late(): string {
        return 'late';
      }
    }
    class OneModule {}
    class TwoModule {}
    const limits = (): DynamicModule => RateLimitModule.forRoot({ default: { limit: 2 } });
    await using app = await bootHttp(adapter, [
      { module: OneModule, imports: [limits()], controllers: [PlainController] },
      { module: TwoModule, imports: [limits()], controllers: [LateController] },
    ]);
    expect(await statuses(app, '/one', 3)).toEqual([200, 200, 429]);
    expect(await statuses(app, '/late', 2)).toEqual([200, 429]);
  });

  it('lets health be asked as often as anybody likes', async () => {
    await using app = await bootLimited(adapter, PlainController, { default: { limit: 1 } }, [HealthModule.forRoot()]);
    for (const path of ['/health', '/health/live', '/health/ready'])
      expect(await statuses(app, path, 3)).toEqual([200, 200, 200]);
    expect((await app.fetch('/health')).headers.get('ratelimit')).toBeNull();
    expect(await statuses(app, '/one', 2)).toEqual([200, 429]);
  });

  it('counts nothing where no handler is', async () => {
    await using app = await bootLimited(adapter, PlainController, { default: { limit: 1 } });
    expect(await statuses(app, '/nowhere', 3)).toEqual([404, 404, 404]);
    expect(await statuses(app, '/one', 2)).toEqual([200, 429]);
  });
});
