import 'reflect-metadata';
import { CoreInfraModule, createApp, listen } from '@core-infra/core';
import { HttpModule } from '@core-infra/http';
import type { INestApplication } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { OrdersController, OrdersService } from './orders.js';
import { serve } from './serve.js';

// The whole stack as it comes: configuration, context, JSON log with access log and redaction, health, and http's filter,
// validation and OpenAPI page. Nothing is set but where to listen.

@Module({
  imports: [CoreInfraModule.forRoot({ http: { port: 0, host: '127.0.0.1' }, concerns: [HttpModule] })],
  controllers: [OrdersController],
  providers: [OrdersService],
})
class AppModule {}

serve(async () => {
  const { app } = await createApp(AppModule);
  return { url: await listen(app as INestApplication), close: () => app.close() };
});
