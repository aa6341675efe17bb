import 'reflect-metadata';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Controller, Get, type INestApplication, Module, VersioningType } from '@nestjs/common';
import { AppState } from '@core-infra/kernel';
import { HealthModule } from '@core-infra/health';
import { bootHttp, httpAdapters } from '@core-infra/testing';
import { clockModule, concern, contributor, FakeClock, get } from './fixtures.js';

describe.each(httpAdapters)('the health routes on %s', adapter => {
  const fail = () => {
    throw new Error('connection to redis://app:secret@cache.internal:6379 refused');
  };

  it('answers outside of the prefix, the versions and the guards of the app, which excludes nothing', async () => {
    const { module } = contributor('search', () => undefined);
    @Controller('orders')
    class OrdersController {
      @Get() list() {
        return [];
      }
    }
    @Module({
      controllers: [OrdersController],
      providers: [{ provide: APP_GUARD, useValue: { canActivate: () => false } }],
    })
    class OrdersModule {}
    const setUp = (app: INestApplication) => {
      app.setGlobalPrefix('/api/v1');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
    };
    await using app = await bootHttp(adapter, [HealthModule.forRoot(), module, OrdersModule], { setUp });
    expect((await get(app, '/api/v1/v2/orders')).status).toBe(403);
    for (const path of ['/health', '/health/ready', '/health/search']) {
      const { status, headers, body } = await get(app, path);
      expect([path, status, body]).toEqual([path, 200, { status: 'ok', checks: { search: { status: 'up' } } }]);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-type')).toMatch(/^application\/json/);
    }
    for (const path of ['/health/live', '/health/startup'])
      expect((await get(app, path)).body).toEqual({ status: 'ok', checks: {} });
  });

  it('answers with a slash at the end, encoded or with a query, and nothing of what is no name', async () => {
    const { module } = contributor('search', () => undefined);
    await using app = await bootHttp(adapter, [HealthModule.forRoot(), module]);
    for (const path of ['/health/', '/health/ready/', '/health/search/', '/health/%73earch', '/health/search?x=1'])
      expect([path, (await get(app, path)).body]).toEqual([
        path,
        { status: 'ok', checks: { search: { status: 'up' } } },
      ]);
    for (const path of ['/health/__proto__', '/health/constructor', '/health/a%2Fb', '/health/..%2Fsearch'])
      expect((await get(app, path)).body).toMatchObject({
        error_code: 'INFRA_UNKNOWN_CHECK',
        details: { known: ['search'] },
      });
    expect((await app.fetch('/health/%E0%A4%A')).status).toBe(400);
    expect((await app.fetch('/health', { method: 'POST' })).status).toBe(404);
  });

  it('is not shadowed by a catch-all of the app', async () => {
    @Controller()
    class CatchAll {
      @Get('*') any() {
        return 'the app';
      }
    }
    @Module({ controllers: [CatchAll] })
    class AppModule {}
    await using app = await bootHttp(adapter, [AppModule, HealthModule.forRoot()]);
    expect((await get(app, '/health/live')).body).toEqual({ status: 'ok', checks: {} });
    expect(await (await app.fetch('/anything')).text()).toBe('the app');
  });

  it('answers HEAD with the status and without a body', async () => {
    const { module } = contributor('search', fail);
    await using app = await bootHttp(adapter, [HealthModule.forRoot(), module]);
    const head = await get(app, '/health', { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([503, '']);
    expect((await get(app, '/health/live', { method: 'HEAD' })).status).toBe(200);
  });

  it('answers 404 with the known names', async () => {
    const { module } = contributor('search', () => undefined);
    await using app = await bootHttp(adapter, [HealthModule.forRoot(), module, concern('store', {}).forRoot()]);
    const { status, body } = await get(app, '/health/serach');
    expect(status).toBe(404);
    expect(body).toMatchObject({
      success: false,
      error_code: 'INFRA_UNKNOWN_CHECK',
      details: { known: ['store', 'search'] },
    });
    expect((await get(app, '/health/__proto__')).status).toBe(404);
  });

  it('is an error when a critical check fails, and degraded when another does', async () => {
    const critical = contributor('payments', fail);
    const other = contributor('search', fail, { critical: false });
    const limping = contributor('disk-cache', () => ({ degraded: 'cold' }));
    {
      await using app = await bootHttp(adapter, [HealthModule.forRoot(), critical.module, other.module]);
      for (const path of ['/health', '/health/ready'])
        expect(await get(app, path)).toMatchObject({
          status: 503,
          body: { status: 'error', checks: { payments: { status: 'down' }, search: { status: 'down' } } },
        });
      expect(await get(app, '/health/payments')).toMatchObject({ status: 503, body: { status: 'error' } });
      expect((await get(app, '/health/live')).status).toBe(200);
    }
    await using app = await bootHttp(adapter, [HealthModule.forRoot(), other.module, limping.module]);
    for (const path of ['/health', '/health/ready'])
      expect(await get(app, path)).toMatchObject({
        status: 200,
        body: { status: 'degraded', checks: { search: { status: 'down' }, 'disk-cache': { status: 'degraded' } } },
      });
    expect(await get(app, '/health/search')).toMatchObject({ status: 200, body: { status: 'degraded' } });
  });

  it('shows names and states to the public, and the rest to the bearer of the token', async () => {
    const { module } = contributor('search', fail);
    const store = concern('store', { check: () => ({ pool: { active: 3n, url: 'pg://a:b@c/d' } }) });
    await using app = await bootHttp(adapter, [
      HealthModule.forRoot({ token: 'a-long-token' }),
      module,
      store.forRoot(),
    ]);
    const names = { store: { status: 'up' }, search: { status: 'down' } };
    const unauthorised = [
      undefined,
      'Bearer a-long-tokem',
      'Bearer',
      'Basic a-long-token',
      `Bearer ${'x'.repeat(9_000)}`,
    ];
    for (const authorization of unauthorised)
      for (const path of ['/health', '/health/ready'])
        expect((await get(app, path, { headers: authorization ? { authorization } : {} })).body).toEqual({
          status: 'error',
          checks: names,
        });
    const headers = { authorization: 'Bearer a-long-token' };
    const { body, text } = await get(app, '/health', { headers });
    expect(body.checks.store).toMatchObject({ status: 'up', details: { pool: { active: '3', url: 'pg://***@c/d' } } });
    expect(body.checks.search).toMatchObject({
      status: 'down',
      critical: true,
      reason: 'connection to redis://****@cache.internal:6379 refused',
      failuresInARow: 1,
      history: [{ from: 'unknown', to: 'down' }],
    });
    expect(text).not.toMatch(/secret|at .*\.ts:\d/);
    expect((await get(app, '/health/search', { headers })).body.checks.search.lastError.message).toMatch(/refused/);
  });

  it('shows details to configured networks, by the address of the socket whatever proxies say', async () => {
    const { module } = contributor('search', () => ({ documents: 7 }));
    const boot = (networks: string[]) => bootHttp(adapter, [HealthModule.forRoot({ networks }), module]);
    {
      await using app = await boot(['10.0.0.0/8', '127.0.0.0/8']);
      expect((await get(app, '/health')).body.checks.search.details).toEqual({ documents: 7 });
    }
    await using app = await boot(['10.0.0.0/8', 'fd00::/8']);
    const headers = { 'x-forwarded-for': '10.1.2.3', forwarded: 'for=10.1.2.3', 'x-real-ip': '10.1.2.3' };
    expect((await get(app, '/health', { headers })).body.checks.search).toEqual({ status: 'up' });
  });

  it('refuses the public where it is guarded, and leaves the probes open', async () => {
    const { module } = contributor('search', () => undefined);
    const guarded = HealthModule.forRoot({ guarded: true, token: 'a-long-token' });
    await using app = await bootHttp(adapter, [guarded, module]);
    for (const path of ['/health', '/health/search', '/health/unknown']) {
      const refused = await get(app, path);
      expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(refused.text).not.toContain('search');
    }
    expect((await get(app, '/health', { headers: { authorization: 'Bearer a-long-token' } })).status).toBe(200);
    for (const probe of ['live', 'ready', 'startup']) expect((await get(app, `/health/${probe}`)).status).toBe(200);
  });

  it('asks each check once for any number of probes, and again only when a second has passed', async () => {
    const clock = new FakeClock();
    const slow = contributor('search', () => new Promise(resolve => setTimeout(resolve, 20)));
    let pings = 0;
    const store = concern('store', { check: () => void (pings += 1) });
    await using app = await bootHttp(adapter, [
      HealthModule.forRoot(),
      clockModule(clock),
      slow.module,
      store.forRoot(),
    ]);
    const probe = async () => {
      const paths = ['/health', '/health/ready', '/health/search', '/health/store'];
      const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => get(app, paths[at % paths.length]!)));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
    };
    await probe();
    expect([slow.calls.length, pings]).toEqual([1, 1]);
    clock.advance(999);
    await probe();
    expect([slow.calls.length, pings]).toEqual([1, 1]);
    clock.advance(1);
    await probe();
    expect([slow.calls.length, pings]).toEqual([2, 2]);
  });

  it('fails readiness as soon as the shutdown begins, closes connections and asks nobody any more', async () => {
    const { module, calls } = contributor('search', () => undefined);
    await using app = await bootHttp(adapter, [HealthModule.forRoot({ cacheMs: 0 }), module]);
    expect((await get(app, '/health/ready')).status).toBe(200);
    app.get(AppState).beginShutdown();
    const asked = calls.length;
    for (const path of ['/health', '/health/ready', '/health/search']) {
      const { status, headers, body } = await get(app, path);
      expect([path, status, body.status]).toEqual([path, 503, 'shutting_down']);
      expect(body.checks.search).toEqual({ status: 'up' });
      expect(headers.get('connection')).toBe('close');
    }
    expect((await get(app, '/health/live')).status).toBe(200);
    expect(calls.length).toBe(asked);
  });

  it('is not ready and not started until the boot has ended', async () => {
    const { module, calls } = contributor('search', () => undefined);
    await using app = await bootHttp(adapter, [HealthModule.forRoot({ intervalMs: 0 }), module]);
    const phase = jest.spyOn(app.get(AppState), 'phase', 'get').mockReturnValue('starting');
    for (const path of ['/health/startup', '/health/ready'])
      expect(await get(app, path)).toMatchObject({ status: 503, body: { status: 'starting', checks: {} } });
    expect((await get(app, '/health/live')).status).toBe(200);
    expect(calls).toHaveLength(0);
    phase.mockRestore();
    expect((await get(app, '/health/startup')).status).toBe(200);
  });

  it('serves another path, or none', async () => {
    {
      await using app = await bootHttp(adapter, HealthModule.forRoot({ path: '/internal/health' }));
      expect((await get(app, '/internal/health/live')).status).toBe(200);
      expect((await app.fetch('/health')).status).toBe(404);
    }
    await using app = await bootHttp(adapter, HealthModule.forRoot({ path: '' }));
    expect((await app.fetch('/health')).status).toBe(404);
    expect((await app.fetch('/live')).status).toBe(404);
  });
});

describe('the health routes on a Fastify that ignores slashes', () => {
  it('are mounted once', async () => {
    @Module({ imports: [HealthModule.forRoot()] })
    class AppModule {}
    const serving = await NestFactory.create(
      AppModule,
      new FastifyAdapter({ routerOptions: { ignoreTrailingSlash: true } }) as never,
      { logger: false, abortOnError: false },
    );
    try {
      await serving.listen(0, '127.0.0.1');
      expect((await fetch(`${await serving.getUrl()}/health/live/`)).status).toBe(200);
    } finally {
      await serving.close();
    }
  });
});
