import { DatabaseModule } from '@core-infra/database';
import { Module } from '@nestjs/common';
import { CatalogueModule } from '../catalogue/catalogue.module.js';
import { Discounts } from './discounts.js';
import { OrderLine } from './order-line.entity.js';
import { Order } from './order.entity.js';
import { OrderReads } from './order.reads.js';
import { OrdersController } from './orders.controller.js';
import { OrdersEvents } from './orders.events.js';
import { OrdersService } from './orders.service.js';

@Module({
  imports: [DatabaseModule.forFeature([Order, OrderLine]), CatalogueModule],
  controllers: [OrdersController, OrdersEvents],
  providers: [OrdersService, OrderReads, Discounts],
})
export class OrdersModule {}
