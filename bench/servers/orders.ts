import { Controller, Get, Injectable, NotFoundException, Param } from '@nestjs/common';
import { orderOf, type SampleOrder } from './sample-order.js';

/** Answers from memory, so that what is measured is what stands around it. */
@Injectable()
export class OrdersService {
  private readonly orders = new Map<string, SampleOrder>(
    Array.from({ length: 100 }, (_, at) => [String(at), orderOf(at)]),
  );

  find(id: string): SampleOrder {
    const order = this.orders.get(id);
    if (!order) throw new NotFoundException(`There is no order ${id}.`);
    return order;
  }
}

/** The one route that every variant serves. */
@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get(':id')
  find(@Param('id') id: string): SampleOrder {
    return this.orders.find(id);
  }
}

/** Where it is found: `HttpModule`'s own prefix, so that all variants route the same path. */
export const prefix = '/api/v1';
export const orderPath = `${prefix}/orders/42`;
