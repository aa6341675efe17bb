import 'reflect-metadata';
import { Injectable, Module, Scope, type Type } from '@nestjs/common';
import type { Metric } from '@core-infra/kernel';
import { MetricsContributor, ObservabilityModule } from '@core-infra/observability';
import { bootHttp, bootInfra, failure } from '@core-infra/testing';
import { fakeConcern } from './fake-concern.js';
import { scrape } from './support.js';

const waiting = (value: number, labels = {}): Metric => ({
  name: 'orders_waiting',
  help: 'Orders that wait.',
  samples: [{ value, labels }],
});

function contributor(name: string, metrics: (signal: AbortSignal) => readonly Metric[] | Promise<readonly Metric[]>) {
  const calls: AbortSignal[] = [];
  @MetricsContributor()
  @Injectable()
  class Contributor {
    metrics(signal: AbortSignal) {
      calls.push(signal);
      return metrics(signal);
    }
  }
  Object.defineProperty(Contributor, 'name', { value: name });
  return { module: moduleOf(Contributor), calls };
}

function moduleOf(...providers: Type<unknown>[]) {
  @Module({ providers, exports: providers })
  class SpecModule {}
  return SpecModule;
}

const boot = (metrics: object, ...modules: Type<unknown>[]) =>
  bootHttp('fastify', [ObservabilityModule.forRoot({ metrics }), ...modules]);

describe('a contributor', () => {
  it('is asked once for all who scrape within a second, and again after', async () => {
    let value = 0;
    const { module, calls } = contributor('Waiting', () => [waiting((value += 1), { kind: 'paid' })]);
    await using app = await boot({ cacheMs: 60_000 }, module);
    const scrapes = await Promise.all(Array.from({ length: 20 }, () => scrape(app)));
    expect(scrapes.map(found => found.value('orders_waiting', { kind: 'paid' }))).toEqual(scrapes.map(() => 1));
    expect(scrapes[0]!.types.get('orders_waiting')).toBe('gauge');
    expect(scrapes[0]!.value('infra_metrics_source_up', { source: 'Waiting' })).toBe(1);
    expect(calls).toHaveLength(1);
    await using fresh = await boot({ cacheMs: 0 }, module);
    await scrape(fresh);
    expect((await scrape(fresh)).value('orders_waiting')).toBe(3);
  });

  it('may count, and shares a name with others', async () => {
    const counted: Metric = { name: 'orders_total', help: 'Orders.', type: 'counter', samples: [{ value: 4 }] };
    const one = contributor('One', () => [waiting(1, { kind: 'a' }), counted]);
    const two = contributor('Two', () => Promise.resolve([waiting(2, { kind: 'b' })]));
    await using app = await boot({}, one.module, two.module);
    const found = await scrape(app);
    expect(found.types.get('orders_total')).toBe('counter');
    expect(found.value('orders_total')).toBe(4);
    expect([found.value('orders_waiting', { kind: 'a' }), found.value('orders_waiting', { kind: 'b' })]).toEqual([
      1, 2,
    ]);
    const open = await scrape(app, '/metrics', { accept: 'application/openmetrics-text' });
    expect(open.value('orders_total')).toBe(4);
  });

  it('is asked though others are called the same', async () => {
    const modules = ['a', 'b', 'c'].map(kind => contributor('Waiting', () => Promise.resolve([waiting(1, { kind })])));
    await using app = await boot({}, ...modules.map(({ module }) => module));
    const found = await scrape(app);
    expect(['a', 'b', 'c'].map(kind => found.value('orders_waiting', { kind }))).toEqual([1, 1, 1]);
    const sources = ['Waiting', 'SpecModule.Waiting', 'SpecModule.Waiting#2'];
    expect(sources.map(source => found.value('infra_metrics_source_up', { source }))).toEqual([1, 1, 1]);
  });

  it('that hangs is left out at the end of its time, told to give up, and not asked beside itself', async () => {
    const hanging = contributor('Hanging', () => new Promise(() => undefined));
    const fine = contributor('Fine', () => [waiting(1)]);
    await using app = await boot({ cacheMs: 0, readTimeoutMs: 20 }, hanging.module, fine.module);
    for (let n = 0; n < 3; n += 1) {
      const found = await scrape(app);
      expect(found.value('orders_waiting')).toBe(1);
      expect(found.value('infra_metrics_source_up', { source: 'Hanging' })).toBe(0);
    }
    expect(hanging.calls).toHaveLength(1);
    expect(hanging.calls[0]!.aborted).toBe(true);
  });

  it('that gives up in time may still tell what it knows', async () => {
    const { module } = contributor(
      'Partly',
      signal => new Promise(resolve => signal.addEventListener('abort', () => resolve([waiting(7)]))),
    );
    await using app = await boot({ cacheMs: 0, readTimeoutMs: 20 }, module);
    const found = await scrape(app);
    expect(found.value('orders_waiting')).toBe(7);
    expect(found.value('infra_metrics_source_up', { source: 'Partly' })).toBe(1);
  });

  it.each<[string, () => readonly Metric[]]>([
    [
      'throws',
      () => {
        throw new Error('no answer from redis://user:secret@cache.internal');
      },
    ],
    ['has a name that cannot be', () => [{ ...waiting(1), name: 'Orders waiting!' }]],
    ['has a label that cannot be', () => [waiting(1, { 'order-id': '1' })]],
    ['takes the name of what is counted', () => [{ ...waiting(1), name: 'infra_operation_duration_seconds' }]],
    ['returns nothing', () => undefined as never],
  ])('that %s costs the others nothing', async (_what, metrics) => {
    const broken = contributor('Broken', metrics);
    const fine = contributor('Fine', () => [waiting(1)]);
    await using app = await boot({ cacheMs: 0 }, broken.module, fine.module);
    const found = await scrape(app);
    expect(found.response.status).toBe(200);
    expect(found.value('orders_waiting')).toBe(1);
    expect(found.value('infra_metrics_source_up', { source: 'Broken' })).toBe(0);
    expect(found.text).not.toMatch(/secret|cache\.internal/);
  });

  it('may have no more series than the bound, nor numbers that are none', async () => {
    const samples = Array.from({ length: 500 }, (_, at) => ({ value: at, labels: { key: `${at}`.repeat(200) } }));
    const { module } = contributor('Many', () => [
      { ...waiting(0), samples },
      { name: 'odd', help: '', samples: [{ value: Number.NaN }, { value: Infinity, labels: { a: 'b' } }] },
      { name: 'falling_total', help: 'x', type: 'counter', samples: [{ value: -1 }] },
    ]);
    await using app = await boot({ maxSeries: 10 }, module);
    const found = await scrape(app);
    expect(found.of('orders_waiting')).toHaveLength(10);
    expect(Math.max(...found.of('orders_waiting').map(({ labels }) => labels.key!.length))).toBe(128);
    expect(found.text).not.toMatch(/Nan|-1$/m);
  });

  it.each([
    ['once per request', Scope.REQUEST],
    ['anew for each', Scope.TRANSIENT],
  ])('that exists %s is refused at boot', async (_what, scope) => {
    @MetricsContributor()
    @Injectable({ scope })
    class Scoped {
      metrics() {
        return [];
      }
    }
    const error = await failure(bootInfra(ObservabilityModule.forRoot(), moduleOf(Scoped)));
    expect(error).toMatchObject({ code: 'INFRA_INVALID_METRICS_CONTRIBUTOR' });
  });

  it('that has no method is refused at boot', async () => {
    @MetricsContributor()
    @Injectable()
    class Empty {}
    const error = await failure(bootInfra(ObservabilityModule.forRoot(), moduleOf(Empty)));
    expect((error as Error).message).toMatch(/Empty in SpecModule has no method metrics/);
  });
});

describe('the numbers of a connection', () => {
  it('carry its id, and are missing while it is not open', async () => {
    const store = fakeConcern('store', { metrics: () => [waiting(3)] });
    const away = fakeConcern('away', {
      connect: () => Promise.reject(new Error('not yet')),
      metrics: () => [waiting(9)],
    });
    await using app = await bootHttp('fastify', [
      ObservabilityModule.forRoot(),
      store.Module.forRoot(),
      store.Module.forRoot({ name: 'audit' }),
      away.Module.forRoot({ startup: 'background' }),
    ]);
    const found = await scrape(app);
    expect(found.of('orders_waiting').map(({ labels }) => labels.connection)).toEqual(['store', 'store:audit']);
    expect(found.value('infra_metrics_source_up', { source: 'away' })).toBe(0);
  });
});
