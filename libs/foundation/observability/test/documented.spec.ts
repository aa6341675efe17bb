import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HealthModule } from '@core-infra/health';
import { ObservabilityModule } from '@core-infra/observability';
import { bootHttp } from '@core-infra/testing';
import { eventTable } from '../src/metrics/event.table.js';
import { fakeConcern } from './fake-concern.js';
import { scrape } from './support.js';

/** Every row of a table, by the name of its metric. */
const rows = new Map(
  readFileSync(join(__dirname, '../../../../docs/metrics.md'), 'utf8')
    .split('\n')
    .map(line => line.split('|').map(cell => cell.trim()))
    .filter(([, name]) => name?.startsWith('`'))
    .map(([, name, type, labels]) => [name!.slice(1, -1), { type, labels: labels!.match(/\w+/g) ?? [] }]),
);

describe('docs/metrics.md', () => {
  it('has each metric that is counted of events, with its type and labels', () => {
    for (const { metrics } of Object.values(eventTable))
      for (const { name, labels, durationMs } of metrics)
        expect([name, rows.get(name)]).toEqual([
          name,
          { type: durationMs === undefined ? 'counter' : 'histogram', labels: expect.arrayContaining([...labels]) },
        ]);
  });

  it('has each metric of an app, with its type and labels', async () => {
    const store = fakeConcern('store');
    await using app = await bootHttp('fastify', [
      ObservabilityModule.forRoot({ metrics: { process: false } }),
      HealthModule.forRoot(),
      store.Module.forRoot(),
    ]);
    await app.get(store.Client).call('get');
    await app.fetch('/health');
    const { types, samples } = await scrape(app);
    expect([...types.keys()]).toContain('infra_operation_duration_seconds');
    for (const [name, type] of types) {
      const labels = samples.find(sample => sample.name.startsWith(name))?.labels ?? {};
      const named = Object.keys(labels).filter(label => label !== 'le');
      expect([name, rows.get(name)]).toEqual([name, { type, labels: expect.arrayContaining(named) }]);
    }
  });
});
