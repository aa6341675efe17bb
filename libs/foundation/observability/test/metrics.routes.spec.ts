import 'reflect-metadata';
import { Controller, Get, type INestApplication, Module, VersioningType } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { bootHttp, httpAdapters } from '@core-infra/testing';
import { ObservabilityModule } from '@core-infra/observability';
import { scrape } from './support.js';

describe.each(httpAdapters)('the route of the metrics on %s', adapter => {
  it('tells of the process, outside of the prefix, the versions and the guards of the app', async () => {
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
    await using app = await bootHttp(adapter, [ObservabilityModule.forRoot(), OrdersModule], { setUp });
    expect((await app.fetch('/api/v1/v2/orders')).status).toBe(403);
    const found = await scrape(app);
    expect(found.response.status).toBe(200);
    expect(found.response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(found.response.headers.get('cache-control')).toBe('no-store');
    expect(found.value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(found.value('nodejs_version_info')).toBe(1);
    expect(found.types.get('process_cpu_seconds_total')).toBe('counter');
    expect(
      found.value('http_server_request_duration_seconds_count', {
        method: 'GET',
        route: '/api/v1/v2/orders',
        status: '4xx',
      }),
    ).toBe(1);
  });
});
