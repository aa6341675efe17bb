import type { HttpServer } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import type { AppInfo, AppState, Clock, Connections, Metric } from '@core-infra/kernel';
import { contributorsOf } from './contributors.js';
import { EventMetrics } from './event.metrics.js';
import { type Exposition, MetricRegistry } from './metric.registry.js';
import { type MetricSource, MetricSources } from './metric.sources.js';
import type { MetricsConfig } from './metrics.config.js';
import { OperationMetrics } from './operation.metrics.js';
import { ProcessMetrics } from './process.metrics.js';
import { RequestMetrics } from './request.metrics.js';

export interface MetricsSite {
  readonly config: MetricsConfig;
  readonly connections: Connections;
  readonly state: AppState;
  readonly discovery: DiscoveryService;
  readonly app: AppInfo;
  readonly clock: Clock;
}

/** Everything that is measured in one application. Reached by `import()`, so that an app that measures nothing loads nothing. */
export class Metrics {
  private readonly registry: MetricRegistry;
  private readonly sources: MetricSources;
  private readonly operations: OperationMetrics;
  private readonly events: EventMetrics;
  private readonly requests?: RequestMetrics;
  private readonly process?: ProcessMetrics;
  private contributors: readonly MetricSource[] = [];

  /** From here on connections are heard being opened. */
  constructor(private readonly site: MetricsSite) {
    const { config, connections, state, clock } = site;
    const excluded = new Set(config.exclude);
    this.registry = new MetricRegistry(config.maxSeries, config.bucketsMs);
    this.operations = new OperationMetrics(this.registry, connections, state, excluded);
    this.events = new EventMetrics(this.registry, connections, state, excluded);
    if (config.http) this.requests = new RequestMetrics(this.registry, site.app.name);
    if (config.process) this.process = new ProcessMetrics(this.registry);
    this.sources = new MetricSources(
      () => this.asked(),
      name => this.registry.has(name),
      config,
      clock,
    );
  }

  /** Every provider exists by now. */
  start(adapter: HttpServer | undefined): void {
    this.contributors = contributorsOf(this.site.discovery);
    this.follow();
    this.process?.start();
    if (adapter) this.requests?.mount(adapter);
  }

  stop(): void {
    this.operations.stop();
    this.events.stop();
    this.process?.stop();
  }

  async expose(openMetrics: boolean): Promise<Exposition> {
    this.follow();
    const asked = await this.sources.read();
    const own = [
      this.about(),
      ...this.operations.read(),
      ...(this.requests?.read() ?? []),
      ...(this.process?.read() ?? []),
    ];
    const names = new Set(own.map(({ name }) => name));
    return this.registry.expose([...own, ...asked.filter(({ name }) => !names.has(name))], openMetrics);
  }

  private follow(): void {
    this.operations.follow();
    this.events.follow();
  }

  /** Once the shutdown has begun, nobody is asked any more: connections are closing. */
  private asked(): readonly MetricSource[] {
    const { connections, config, state } = this.site;
    if (state.shuttingDown.aborted) return [];
    const excluded = new Set(config.exclude);
    const ofConnections = connections
      .metrics()
      .filter(({ id }) => !excluded.has(id.split(':', 1)[0]!))
      .map(({ id, read }) => ({ name: id, read, connection: id }));
    return [...ofConnections, ...this.contributors];
  }

  private about(): Metric {
    const { name, version, environment } = this.site.app;
    return {
      name: 'infra_app_info',
      help: 'Which app this is.',
      samples: [{ labels: { name, version, environment }, value: 1 }],
    };
  }
}
