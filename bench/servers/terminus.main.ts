import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { listenPlainly } from './listen.js';
import { serve } from './serve.js';
import { SlowChecks } from './slow-checks.js';

// The same checks as its documentation has them.

const checks = new SlowChecks();

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check(
      checks.names.map(name => () => this.indicators.check(name).attempt(() => checks.check(name))),
    );
  }
}

@Module({ imports: [TerminusModule], controllers: [HealthController] })
class AppModule {}

serve(async () => ({ ...(await listenPlainly(AppModule)), report: () => ({ runs: checks.mostRunsInASecond() }) }));
