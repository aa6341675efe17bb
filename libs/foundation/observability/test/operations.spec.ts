import 'reflect-metadata';
import { Connections, ErrorSpec, InfraError, operations } from '@core-infra/kernel';
import { bootHttp } from '@core-infra/testing';
import { HealthModule } from '@core-infra/health';
import { ObservabilityModule } from '@core-infra/observability';
import { fakeConcern } from './fake-concern.js';
import { scrape } from './support.js';

const count = 'infra_operation_duration_seconds_count';

@ErrorSpec({ code: 'ASKED_TOO_MUCH', fault: 'client', summary: 'Of a spec.' })
class AskedTooMuchError extends InfraError {
  constructor() {
    super('too much', 'Ask less.');
  }
}

describe('operations', () => {
  it('are counted and timed by component, connection, operation and outcome', async () => {
    const store = fakeConcern('store');
    await using app = await bootHttp('fastify', [
      ObservabilityModule.forRoot(),
      store.Module.forRoot(),
      store.Module.forRoot({ name: 'audit' }),
    ]);
    const client = app.get(store.Client);
    await client.call('get');
    await client.call('get');
    client.callNow('peek');
    const fail = (error: unknown) => () => Promise.reject(error as Error);
    const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    for (const error of [away, new AskedTooMuchError(), new TypeError('bug'), new DOMException('over', 'AbortError')])
      await client.call('put', fail(error)).catch(() => undefined);
    expect(() =>
      client.callNow('peek', () => {
        throw away;
      }),
    ).toThrow('away');
    const found = await scrape(app);
    const counted = (operation: string, outcome: string) =>
      found.value(count, { component: 'store', connection: 'store', operation, outcome });
    expect(counted('get', 'ok')).toBe(2);
    expect(counted('peek', 'ok')).toBe(1);
    expect(counted('peek', 'dependency_error')).toBe(1);
    for (const outcome of ['dependency_error', 'client_error', 'server_error', 'cancelled'])
      expect([outcome, counted('put', outcome)]).toEqual([outcome, 1]);
    expect(
      found.value('infra_operation_duration_seconds_bucket', { operation: 'get', outcome: 'ok', le: '+Inf' }),
    ).toBe(2);
    expect(found.types.get('infra_operation_duration_seconds')).toBe('histogram');
  });

  it('of an excluded component are not even subscribed to', async () => {
    const quiet = fakeConcern('quiet-store');
    const loud = fakeConcern('loud-store');
    await using app = await bootHttp('fastify', [
      ObservabilityModule.forRoot({ metrics: { exclude: ['quiet-store'] } }),
      quiet.Module.forRoot(),
      loud.Module.forRoot(),
    ]);
    expect(operations('quiet-store').hasSubscribers).toBe(false);
    expect(operations('loud-store').hasSubscribers).toBe(true);
    await app.get(quiet.Client).call('get');
    expect((await scrape(app)).value(count, { component: 'quiet-store' })).toBeUndefined();
  });

  it('add no more series than the bound, whatever they are called', async () => {
    const store = fakeConcern('store');
    await using app = await bootHttp('fastify', [
      ObservabilityModule.forRoot({ metrics: { maxSeries: 10 } }),
      store.Module.forRoot(),
    ]);
    const client = app.get(store.Client);
    for (let n = 0; n < 500; n += 1) await client.call(`get:${n}`);
    const found = await scrape(app);
    const counted = found.of(count);
    expect(counted).toHaveLength(11);
    expect(found.value(count, { operation: 'other' })).toBe(490);
    expect(counted.reduce((sum, { value }) => sum + value, 0)).toBe(500);
  });
});

describe('connections', () => {
  it('are up when they are open and their last check has succeeded', async () => {
    let fails = false;
    const check = () => {
      if (fails) throw new Error('redis://user:secret@cache.internal:6379 is away');
    };
    const store = fakeConcern('store', { check, address: 'redis://user:secret@cache.internal:6379' });
    const away = fakeConcern('away', { connect: () => Promise.reject(new Error('not yet')) });
    await using app = await bootHttp('fastify', [
      ObservabilityModule.forRoot(),
      HealthModule.forRoot({ intervalMs: 0, cacheMs: 0 }),
      store.Module.forRoot(),
      away.Module.forRoot({ startup: 'background' }),
    ]);
    const checkNow = () =>
      app
        .get(Connections)
        .checks()
        .find(({ name }) => name === 'store')!
        .run()
        .catch(() => undefined);
    await checkNow();
    const first = await scrape(app);
    expect(first.value('infra_connection_up', { connection: 'store', driver: 'fake' })).toBe(1);
    expect(first.value('infra_connection_up', { connection: 'away' })).toBe(0);
    expect(first.value('infra_connection_stages_total', { connection: 'store', stage: 'check', outcome: 'ok' })).toBe(
      1,
    );
    fails = true;
    await checkNow();
    const second = await scrape(app);
    expect(second.value('infra_connection_up', { connection: 'store' })).toBe(0);
    expect(
      second.value('infra_connection_stages_total', { connection: 'store', stage: 'check', outcome: 'error' }),
    ).toBe(1);
    await app.fetch('/health');
    const third = await scrape(app);
    expect(third.value('infra_health_check_up', { check: 'store' })).toBe(0);
    for (const { text } of [first, second, third]) expect(text).not.toMatch(/secret|cache\.internal/);
  });
});
