import 'reflect-metadata';
import { CoreInfraModule, createApp, listen } from '@core-infra/core';
import { type INestApplication, Module } from '@nestjs/common';
import { OrdersController, OrdersService } from './orders.js';
import { serve } from './serve.js';

// CoreInfraModule with no concern, and all that can be turned off turned off.

@Module({
  imports: [
    CoreInfraModule.forRoot({
      http: { port: 0, host: '127.0.0.1' },
      config: { watch: false },
      context: { requestIdHeader: '' },
      logging: { access: { enabled: false } },
      health: { path: '', intervalMs: 0 },
    }),
  ],
  controllers: [OrdersController],
  providers: [OrdersService],
})
class AppModule {}

serve(async () => {
  const { app } = await createApp(AppModule);
  return { url: await listen(app as INestApplication), close: () => app.close() };
});
