import 'reflect-metadata';
import { CoreInfraModule, createApp, listen } from '@core-infra/core';
import { HealthContributor } from '@core-infra/kernel';
import { type INestApplication, Injectable, Module, type Type } from '@nestjs/common';
import { OrdersController, OrdersService } from './orders.js';
import { serve } from './serve.js';
import { SlowChecks } from './slow-checks.js';

// Eight contributors of slow checks, and a route that has nothing to do with them.

const checks = new SlowChecks();

function contributor(name: string): Type {
  @HealthContributor(name)
  @Injectable()
  class SlowServer {
    check(): Promise<void> {
      return checks.check(name);
    }
  }
  return SlowServer;
}

@Module({
  imports: [CoreInfraModule.forRoot({ http: { port: 0, host: '127.0.0.1' } })],
  controllers: [OrdersController],
  providers: [OrdersService, ...checks.names.map(contributor)],
})
class AppModule {}

serve(async () => {
  const { app } = await createApp(AppModule);
  return {
    url: await listen(app as INestApplication),
    close: () => app.close(),
    report: () => ({ runs: checks.mostRunsInASecond() }),
  };
});
