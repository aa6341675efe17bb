import {
  Inject,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { AppInfo, AppState, BareImportError, Clock, Connections, defineBehaviour } from '@core-infra/kernel';
import { ObservabilityRegisteredTwiceError } from './errors.js';
import type { Metrics } from './metrics/metrics.js';
import { mountMetrics } from './metrics/metrics.routes.js';
import { ObservabilityConfig } from './observability.config.js';

/** What is measured, or `null` where nothing is. */
const METRICS = Symbol('core-infra metrics');

/** Begins and ends what is measured with the app. */
@Injectable()
class ObservabilityLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private booted = false;

  constructor(
    @Inject(METRICS) private readonly metrics: Metrics | null,
    private readonly config: ObservabilityConfig,
    private readonly state: AppState,
    private readonly host: HttpAdapterHost,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {
    // After a boot that failed Nest calls no hook.
    state.shuttingDown.addEventListener('abort', () => this.booted || this.metrics?.stop(), { once: true });
    if (state.shuttingDown.aborted) this.metrics?.stop();
  }

  /** @throws ObservabilityRegisteredTwiceError, InvalidMetricsContributorError */
  onModuleInit(): void {
    try {
      this.assertAlone();
      if (!this.state.shuttingDown.aborted) this.metrics?.start(this.adapter);
    } catch (error) {
      this.metrics?.stop();
      throw error;
    }
  }

  onApplicationBootstrap(): void {
    this.booted = true;
  }

  onApplicationShutdown(): void {
    this.metrics?.stop();
  }

  mount(): void {
    if (this.adapter && this.metrics) mountMetrics(this.adapter, this.metrics, this.config.metrics, this.state);
  }

  private get adapter(): HttpAdapterHost['httpAdapter'] | undefined {
    return this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
  }

  private assertAlone(): void {
    const holders = [...this.modules.values()].filter(module => module.providers.has(ObservabilityLifecycle));
    if (holders.length < 2) return;
    const importers = [...this.modules.values()].filter(
      module => !holders.includes(module) && !module.isGlobal && holders.some(holder => module.imports.has(holder)),
    );
    throw new ObservabilityRegisteredTwiceError([...new Set(importers.map(module => module.name))]);
  }
}

const observability = defineBehaviour({
  name: 'observability',
  config: ObservabilityConfig,
  imports: [DiscoveryModule],
  providers: [
    {
      provide: METRICS,
      inject: [
        ObservabilityConfig,
        Connections,
        AppState,
        DiscoveryService,
        { token: AppInfo as never, optional: true },
        { token: Clock as never, optional: true },
      ],
      useFactory: async (
        config: ObservabilityConfig,
        connections: Connections,
        state: AppState,
        discovery: DiscoveryService,
        app: AppInfo = AppInfo.unknown,
        clock: Clock = Clock.system,
      ): Promise<Metrics | null> => {
        if (!config.metrics.enabled) return null;
        const loaded = await import('./metrics/metrics.js');
        if (state.shuttingDown.aborted) return null; // the boot has failed meanwhile
        return new loaded.Metrics({ config: config.metrics, connections, state, discovery, app, clock });
      },
    },
    ObservabilityLifecycle,
  ],
});

/**
 * `/metrics` for Prometheus: the process, HTTP requests, every operation of the app's connections, and what `@MetricsContributor()` providers
 * tell. Global; registered once. `ObservabilityModule.forRoot()` reads section `observability` of the configuration.
 */
@Module({})
export class ObservabilityModule extends observability implements NestModule {
  constructor(@Optional() private readonly lifecycle?: ObservabilityLifecycle) {
    super();
    if (!lifecycle) throw new BareImportError(ObservabilityModule.name);
  }

  /** Nest calls this after the app's own `app.use(…)` and before it adds the app's routes, a catch-all of which would shadow ours. */
  configure(_consumer: MiddlewareConsumer): void {
    this.lifecycle?.mount();
  }
}
