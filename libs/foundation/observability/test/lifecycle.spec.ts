import 'reflect-metadata';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { Module } from '@nestjs/common';
import { ConfigModule } from '@core-infra/config';
import { connectionStages, operations } from '@core-infra/kernel';
import { bootHttp, bootInfra, failure, loadedPackages } from '@core-infra/testing';
import { HealthModule } from '@core-infra/health';
import { ObservabilityConfig, ObservabilityModule } from '@core-infra/observability';
import { fakeConcern } from './fake-concern.js';
import { scrape } from './support.js';

const count = 'infra_operation_duration_seconds_count';
const heard = (component: string) => [operations(component).hasSubscribers, connectionStages.hasSubscribers];

describe('metrics that are off', () => {
  it('subscribe to nothing and have no route', async () => {
    const store = fakeConcern('off-store');
    await using app = await bootHttp('fastify', [
      ObservabilityModule.forRoot({ metrics: { enabled: false } }),
      store.Module.forRoot(),
    ]);
    expect(heard('off-store')).toEqual([false, false]);
    expect((await app.fetch('/metrics')).status).toBe(404);
    expect(app.get(ObservabilityConfig).metrics.enabled).toBe(false);
  });

  it('do not even load prom-client', async () => {
    const program = join(__dirname, 'fixtures', 'measured.main.ts');
    expect(await loadedPackages(program, { MEASURED: 'false' })).not.toContain('prom-client');
    expect(await loadedPackages(program, { MEASURED: 'true' })).toContain('prom-client');
  });

  it('are switched by ENABLE_METRICS', async () => {
    process.env.ENABLE_METRICS = 'false';
    try {
      await using app = await bootHttp('fastify', [ConfigModule.forRoot(), ObservabilityModule.forRootAsync()]);
      expect((await app.fetch('/metrics')).status).toBe(404);
    } finally {
      delete process.env.ENABLE_METRICS;
    }
  });
});

describe('two apps in one process', () => {
  it('count their own operations, stages and requests, each with its own settings', async () => {
    const [one, two] = [fakeConcern('store'), fakeConcern('store')];
    await using first = await bootHttp('fastify', [
      ObservabilityModule.forRoot(),
      HealthModule.forRoot({ intervalMs: 0 }),
      one.Module.forRoot(),
    ]);
    await using second = await bootHttp('express', [
      ObservabilityModule.forRoot({ metrics: { path: '/numbers', process: false } }),
      two.Module.forRoot(),
    ]);
    await first.get(one.Client).call('get');
    await second.get(two.Client).call('get');
    await second.get(two.Client).call('get');
    await first.fetch('/nothing');
    await first.fetch('/health');
    const [a, b] = [await scrape(first), await scrape(second, '/numbers')];
    expect([a.value(count, { operation: 'get' }), b.value(count, { operation: 'get' })]).toEqual([1, 2]);
    const requests = 'http_server_request_duration_seconds_count';
    expect([a.value(requests, { route: 'none' }), b.value(requests, { route: 'none' })]).toEqual([1, undefined]);
    const up = (found: typeof a) => found.value('infra_health_check_up', { check: 'store' });
    expect([up(a), up(b)]).toEqual([1, undefined]);
    expect(a.value('nodejs_version_info')).toBe(1);
    expect(b.value('nodejs_version_info')).toBeUndefined();
    await first.close();
    await second.get(two.Client).call('get');
    expect((await scrape(second, '/numbers')).value(count, { operation: 'get' })).toBe(3);
  });
});

describe('the end of an app', () => {
  it('leaves no subscription and no observer behind', async () => {
    const observed = jest.spyOn(PerformanceObserver.prototype, 'observe');
    const disconnected = jest.spyOn(PerformanceObserver.prototype, 'disconnect');
    const store = fakeConcern('ended-store');
    const app = await bootHttp('fastify', [ObservabilityModule.forRoot(), store.Module.forRoot()]);
    await scrape(app);
    expect(heard('ended-store')).toEqual([true, true]);
    await app.close();
    expect(heard('ended-store')).toEqual([false, false]);
    expect(observed).toHaveBeenCalledTimes(1);
    expect(disconnected).toHaveBeenCalledTimes(1);
    observed.mockRestore();
    disconnected.mockRestore();
  });

  it('is also that of a boot which failed', async () => {
    const store = fakeConcern('failed-store', { connect: () => Promise.reject(new TypeError('wrong password')) });
    const error = await failure(bootInfra(ObservabilityModule.forRoot(), store.Module.forRoot()));
    expect(error).toMatchObject({ code: 'INFRA_CONNECT_FAILED' });
    expect(heard('failed-store')).toEqual([false, false]);
  });
});

describe('a wrong registration', () => {
  it('is refused: bare, twice, or with settings that cannot be', async () => {
    expect(await failure(bootInfra(ObservabilityModule))).toMatchObject({ code: 'INFRA_BARE_IMPORT' });
    @Module({ imports: [ObservabilityModule.forRoot()] })
    class Billing {}
    @Module({ imports: [ObservabilityModule.forRoot({ metrics: { path: '/other' } })] })
    class Shipping {}
    const twice = await failure(bootInfra(Billing, Shipping));
    expect(twice).toMatchObject({ code: 'INFRA_OBSERVABILITY_REGISTERED_TWICE' });
    expect((twice as Error).message).toMatch(/Billing and in Shipping/);
    for (const metrics of [{ path: 'metrics' }, { bucketsMs: [5, 1] }, { maxSeries: 0 }, { token: 'short' }])
      expect(await failure(bootInfra(ObservabilityModule.forRoot({ metrics })))).toMatchObject({
        code: 'INFRA_CONFIG',
      });
  });
});
