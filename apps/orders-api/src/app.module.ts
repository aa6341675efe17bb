import { CacheModule, SessionsModule } from '@core-infra/cache';
import { CoreInfraModule } from '@core-infra/core';
import { DatabaseModule } from '@core-infra/database';
import { FeatureFlagsModule } from '@core-infra/feature-flags';
import { HttpModule } from '@core-infra/http';
import { messagingMigrations, OutboxModule } from '@core-infra/messaging/outbox';
import { ObservabilityModule } from '@core-infra/observability';
import { RateLimitModule } from '@core-infra/rate-limit';
import { RedisModule } from '@core-infra/redis';
import { Module } from '@nestjs/common';
import { messagingConcerns, orderCancelled, orderPlaced } from 'orders-events';
import { CatalogueModule } from './catalogue/catalogue.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { LoginModule } from './sessions/login.module.js';
import { UsersModule } from './users/users.module.js';

/** With the address of a Redis in the environment, what several processes share is kept there; without one, in this process. */
const hasRedis = Boolean(process.env.REDIS_URL || process.env.REDIS_ADDR);

@Module({
  imports: [
    CoreInfraModule.forRootAsync({
      concerns: [
        ObservabilityModule,
        DatabaseModule.forRoot({ migrations: { classes: messagingMigrations } }),
        HttpModule,
        ...messagingConcerns([orderCancelled, orderPlaced]),
        OutboxModule,
        ...(hasRedis ? [RedisModule] : []),
        CacheModule.forRoot({ driver: hasRedis ? 'redis' : 'memory' }),
        SessionsModule.forRoot({ driver: hasRedis ? 'redis' : 'cache' }),
        RateLimitModule.forRoot({ driver: hasRedis ? 'redis' : 'memory' }),
        FeatureFlagsModule.forRoot({ driver: hasRedis ? 'redis' : 'file' }),
      ],
      config: { app: 'orders-api' },
    }),
    UsersModule,
    LoginModule,
    CatalogueModule,
    OrdersModule,
  ],
})
export class AppModule {}
