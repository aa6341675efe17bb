import { Module, type MiddlewareConsumer, type NestModule, Optional } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { BareImportError, defineBehaviour } from '@core-infra/kernel';
import { BackgroundMonitor } from './background.monitor.js';
import { CheckRegistry } from './check.registry.js';
import { HealthAccess } from './health.access.js';
import { HealthConfig } from './health.config.js';
import { HealthRoutes } from './health.routes.js';
import { HealthService } from './health.service.js';

/** Terminus' own log of failed checks is off: there is one record for each change of state instead. */
const terminus = TerminusModule.forRoot({ logger: false });

const HealthBehaviour = defineBehaviour({
  name: 'health',
  config: HealthConfig,
  imports: [DiscoveryModule, terminus],
  providers: [CheckRegistry, HealthService, HealthAccess, HealthRoutes, BackgroundMonitor],
  exports: [HealthService, terminus],
});

/**
 * `/health`, `/health/<name>`, `/health/live`, `/health/ready` and `/health/startup`, from the checks of all connections, of
 * `@HealthContributor` providers and of Terminus' indicators. Global; registered once.
 */
@Module({})
export class HealthModule extends HealthBehaviour implements NestModule {
  constructor(@Optional() private readonly routes?: HealthRoutes) {
    super();
    if (!routes) throw new BareImportError(HealthModule.name);
  }

  /** Nest calls this after the app's own `app.use(…)` and before it adds the app's routes, a catch-all of which would shadow ours. */
  configure(_consumer: MiddlewareConsumer): void {
    this.routes?.mount();
  }
}
