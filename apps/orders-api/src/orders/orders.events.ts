import { Transactional, Transactions } from '@core-infra/database';
import { Subscribe } from '@core-infra/messaging';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { OrderPaid, orderPaid, OrderRejected, orderRejected } from 'orders-events';
import { OrderReads } from './order.reads.js';
import { OrdersService } from './orders.service.js';

/**
 * What orders-worker has to say of orders. The transaction of each method is the one in which the inbox records its event, so an event that
 * comes twice changes nothing the second time.
 */
@Controller()
export class OrdersEvents {
  constructor(
    private readonly orders: OrdersService,
    private readonly reads: OrderReads,
    private readonly transactions: Transactions,
  ) {}

  @Subscribe(orderPaid)
  @Transactional()
  async paid(@Payload() { order_id }: OrderPaid): Promise<void> {
    await this.orders.markPaid(order_id);
    this.transactions.onCommit(() => this.reads.changed(order_id));
  }

  @Subscribe(orderRejected)
  @Transactional()
  async rejected(@Payload() { order_id, reason }: OrderRejected): Promise<void> {
    await this.orders.markRejected(order_id, reason);
    this.transactions.onCommit(() => this.reads.changed(order_id));
  }
}
