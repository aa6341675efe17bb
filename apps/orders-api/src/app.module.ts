import { CoreInfraModule } from '@core-infra/core';
import { DatabaseModule } from '@core-infra/database';
import { HttpModule } from '@core-infra/http';
import { Module } from '@nestjs/common';
import { CatalogueModule } from './catalogue/catalogue.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { UsersModule } from './users/users.module.js';

@Module({
  imports: [
    CoreInfraModule.forRootAsync({ concerns: [DatabaseModule, HttpModule], config: { app: 'orders-api' } }),
    UsersModule,
    CatalogueModule,
    OrdersModule,
  ],
})
export class AppModule {}
