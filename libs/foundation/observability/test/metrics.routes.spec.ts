import 'reflect-metadata';
import { Controller, Get, type INestApplication, Module, Param, VersioningType } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { bootHttp, httpAdapters } from '@core-infra/testing';
import { ObservabilityModule } from '@core-infra/observability';
import { pipeline, scrape } from './support.js';

const requests = 'http_server_request_duration_seconds_count';

@Controller('orders')
class OrdersController {
  @Get() list() {
    return [];
  }

  @Get(':id') find(@Param('id') id: string) {
    return { id };
  }
}

describe.each(httpAdapters)('the route of the metrics on %s', adapter => {
  it('tells of the process, outside of the prefix, the versions and the guards of the app', async () => {
    @Module({
      controllers: [OrdersController],
      providers: [{ provide: APP_GUARD, useValue: { canActivate: () => false } }],
    })
    class OrdersModule {}
    const setUp = (app: INestApplication) => {
      app.setGlobalPrefix('/api/v1');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
    };
    await using app = await bootHttp(adapter, [ObservabilityModule.forRoot(), OrdersModule], { setUp });
    expect((await app.fetch('/api/v1/v2/orders')).status).toBe(403);
    const found = await scrape(app);
    expect(found.response.status).toBe(200);
    expect(found.response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(found.response.headers.get('cache-control')).toBe('no-store');
    expect(found.value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(found.value('process_start_time_seconds')).toBeLessThan(Date.now() / 1_000);
    expect(found.value('nodejs_version_info')).toBe(1);
    expect(found.types.get('process_cpu_seconds_total')).toBe('counter');
    expect(found.value(requests, { method: 'GET', route: '/api/v1/v2/orders', status: '4xx' })).toBe(1);
    expect(found.value('http_server_active_requests')).toBe(1);
  });

  it('speaks OpenMetrics to who asks for it, and goes on speaking Prometheus’ own format to others', async () => {
    await using app = await bootHttp(adapter, [ObservabilityModule.forRoot()]);
    await scrape(app);
    const prometheus = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
    const open = await scrape(app, '/metrics', { accept: prometheus });
    expect(open.response.headers.get('content-type')).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
    expect(open.text.endsWith('\n# EOF\n')).toBe(true);
    expect(open.types.get('process_cpu_seconds')).toBe('counter');
    expect(open.value('process_cpu_seconds_total')).toBeGreaterThan(0);
    for (const accept of [
      'text/plain',
      '*/*',
      'application/openmetrics-text;q=0',
      'text/plain;q=1,application/openmetrics-text;q=0.5',
    ]) {
      const plain = await scrape(app, '/metrics', { accept });
      expect([accept, plain.response.headers.get('content-type')]).toEqual([
        accept,
        'text/plain; version=0.0.4; charset=utf-8',
      ]);
      expect(plain.types.get('process_cpu_seconds_total')).toBe('counter');
      expect(plain.value(requests, { route: '/metrics', method: 'GET', status: '2xx' })).toBeGreaterThan(0);
    }
  });

  it('is elsewhere, or nowhere, where the configuration says so', async () => {
    await using elsewhere = await bootHttp(adapter, [
      ObservabilityModule.forRoot({ metrics: { path: '/internal/numbers' } }),
    ]);
    expect((await scrape(elsewhere, '/internal/numbers')).value('nodejs_version_info')).toBe(1);
    expect((await elsewhere.fetch('/metrics')).status).toBe(404);
    await using nowhere = await bootHttp(adapter, [ObservabilityModule.forRoot({ metrics: { path: '' } })]);
    expect((await nowhere.fetch('/metrics')).status).toBe(404);
  });

  it('refuses whoever does not send the token', async () => {
    await using app = await bootHttp(adapter, [
      ObservabilityModule.forRoot({ metrics: { token: 'let-me-in-please' } }),
    ]);
    for (const authorization of [undefined, 'Bearer', 'Bearer let-me-in-pleas', 'Basic let-me-in-please']) {
      const response = await app.fetch('/metrics', { headers: { ...(authorization && { authorization }) } });
      expect([authorization, response.status]).toEqual([authorization, 401]);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ success: false, error_code: 'INFRA_METRICS_REFUSED' });
      expect(text).not.toContain('let-me-in-please');
    }
    const found = await scrape(app, '/metrics', { authorization: 'Bearer let-me-in-please' });
    expect(found.value('nodejs_version_info')).toBe(1);
  });

  it('has no more series after ten thousand hostile requests than after the first', async () => {
    @Module({ controllers: [OrdersController] })
    class OrdersModule {}
    await using app = await bootHttp(adapter, [ObservabilityModule.forRoot(), OrdersModule]);
    let made = 0;
    const odd = ['PROPFIND', 'PURGE', 'MKCOL', 'SEARCH'];
    const hostile = (): string => {
      const n = made++;
      const text = encodeURIComponent(`${Math.random().toString(36).slice(2)}${n}"\\{}\n`);
      const path = n % 2 === 0 ? `/orders/${text}` : `/${text}/${n}?q=${n}`;
      const method = n % 5 === 0 ? odd[(n / 5) % odd.length]! : 'GET';
      return `${method} ${path} HTTP/1.1\r\nHost: ${text}\r\nX-Route: ${text}\r\n\r\n`;
    };
    const ask = (count: number): Promise<void> => pipeline(app.url, Array.from({ length: count }, hostile));
    const series = async (): Promise<string[]> => {
      const { samples } = await scrape(app);
      return samples
        .filter(({ name }) => name.startsWith('http_'))
        .map(({ name, labels }) => `${name}${JSON.stringify(labels)}`);
    };
    await ask(100);
    await scrape(app);
    const before = await series();
    await Promise.all(Array.from({ length: 10 }, () => ask(1_000)));
    expect(await series()).toEqual(before);
    const found = await scrape(app);
    // The last of each connection is a HEAD.
    const counted = found
      .of(requests)
      .filter(({ labels: { route, method } }) => route !== '/metrics' && method !== 'HEAD');
    expect(counted.reduce((sum, { value }) => sum + value, 0)).toBe(made);
    expect(new Set(counted.map(({ labels }) => labels.route))).toEqual(new Set(['/orders/:id', 'none']));
    expect(new Set(counted.map(({ labels }) => labels.method))).toEqual(new Set(['GET', 'other']));
  });
});
