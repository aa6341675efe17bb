import { CoreInfraModule } from '@core-infra/core';
import { DatabaseModule } from '@core-infra/database';
import { HttpModule } from '@core-infra/http';
import { messagingMigrations, OutboxModule } from '@core-infra/messaging/outbox';
import { ObservabilityModule } from '@core-infra/observability';
import { Module } from '@nestjs/common';
import { messagingConcerns, orderPaid, orderRejected, stockChanged } from 'orders-events';
import { FulfilmentModule } from './fulfilment/fulfilment.module.js';

@Module({
  imports: [
    CoreInfraModule.forRootAsync({
      concerns: [
        ObservabilityModule,
        DatabaseModule.forRoot({ migrations: { classes: messagingMigrations } }),
        HttpModule,
        ...messagingConcerns([orderPaid, orderRejected, stockChanged]),
        OutboxModule,
      ],
      config: { app: 'orders-worker' },
    }),
    FulfilmentModule,
  ],
})
export class AppModule {}
