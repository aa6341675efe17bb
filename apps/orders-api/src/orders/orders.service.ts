import { InjectRepository, Repository, Transactional } from '@core-infra/database';
import { type CursorPageOf, type PageOf, type PageQuery, ResourceNotFoundError } from '@core-infra/http';
import { AppLogger } from '@core-infra/logger';
import { EventBus } from '@core-infra/messaging';
import { Injectable } from '@nestjs/common';
import { orderCancelled, orderPlaced, type RejectionReason } from 'orders-events';
import { QueryFailedError } from 'typeorm';
import { StockService } from '../catalogue/stock.service.js';
import { listPage } from '../common/list-page.js';
import { Discounts } from './discounts.js';
import { Order } from './order.entity.js';
import type { CreateOrder } from './orders.dto.js';
import {
  MixedCurrenciesError,
  OrderAlreadyCancelledError,
  OrderRejectedError,
  UnknownUserError,
} from './orders.errors.js';

const FOREIGN_KEY_VIOLATION = '23503';

@Injectable()
export class OrdersService {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly stock: StockService,
    private readonly discounts: Discounts,
    private readonly events: EventBus,
    private readonly logger: AppLogger,
  ) {}

  /**
   * Places the order, and tells orders-worker of it, both or none. Prices are the catalogue's, never the caller's.
   * @throws UnknownProductError, OutOfStockError, MixedCurrenciesError, UnknownUserError
   */
  @Transactional()
  async create({ user_id, lines, card = 'card_ok' }: CreateOrder): Promise<Order> {
    const wanted = lines.map(({ product_id, quantity }) => ({ productId: product_id.toLowerCase(), quantity }));
    const products = await this.stock.look(wanted);
    const currencies = [...new Set([...products.values()].map(({ currency }) => currency))];
    if (currencies.length > 1) throw new MixedCurrenciesError(currencies);
    const bought = wanted.map(({ productId, quantity }, index) => {
      const { sku, name, priceAmount } = products.get(productId)!;
      return { position: index + 1, productId, sku, name, unitAmount: priceAmount, quantity };
    });
    const sum = bought.reduce((total, { unitAmount, quantity }) => total + unitAmount * quantity, 0);
    const discountAmount = this.discounts.of(user_id, sum);
    const order = await this.insert({
      userId: user_id,
      status: 'placed',
      currency: currencies[0],
      totalAmount: sum - discountAmount,
      discountAmount,
      lines: bought,
    });
    const { id: order_id, totalAmount: amount, currency } = order;
    await this.events.publish(
      orderPlaced.of({
        order_id,
        user_id,
        total: { amount, currency },
        card,
        lines: wanted.map(({ productId, quantity }) => ({ product_id: productId, quantity })),
      }),
    );
    this.logger.info('order placed', { orderId: order.id, userId: user_id, totalAmount: amount });
    return order;
  }

  /** @throws ResourceNotFoundError */
  async byId(id: string): Promise<Order> {
    const order = await this.orders.findOne({ where: { id }, relations: { lines: true } });
    if (!order) throw new ResourceNotFoundError('Order', id);
    return order;
  }

  list(query: PageQuery): Promise<PageOf<Order> | CursorPageOf<Order>> {
    return listPage(this.orders.createQueryBuilder('order_'), query, {
      created_at: 'createdAt',
      total: 'totalAmount',
      status: 'status',
      user_id: 'userId',
      currency: 'currency',
    });
  }

  /**
   * Cancels the order, and has orders-worker put back its products and its money.
   * @throws ResourceNotFoundError, OrderAlreadyCancelledError, OrderRejectedError
   */
  @Transactional()
  async cancel(id: string): Promise<Order> {
    // The lock makes the second of two cancellations wait, and then see what the first has done.
    const locked = await this.orders.findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!locked) throw new ResourceNotFoundError('Order', id);
    if (locked.cancelledAt) throw new OrderAlreadyCancelledError(id, locked.cancelledAt);
    if (locked.status === 'rejected') throw new OrderRejectedError(id, locked.rejectionReason);
    const order = await this.byId(id);
    Object.assign(order, { status: 'cancelled', cancelledAt: new Date() } satisfies Partial<Order>);
    await this.orders.update({ id }, { status: order.status, cancelledAt: order.cancelledAt });
    await this.events.publish(orderCancelled.of({ order_id: order.id }));
    this.logger.info('order cancelled', { orderId: id });
    return order;
  }

  /** A customer who has cancelled meanwhile gets the money back. */
  async markPaid(id: string): Promise<void> {
    await this.orders.update({ id, status: 'placed' }, { status: 'paid', paidAt: new Date() });
  }

  async markRejected(id: string, rejectionReason: RejectionReason): Promise<void> {
    await this.orders.update({ id, status: 'placed' }, { status: 'rejected', rejectionReason });
  }

  private async insert(order: Parameters<Repository<Order>['create']>[0]): Promise<Order> {
    try {
      return await this.orders.save(this.orders.create(order as Order));
    } catch (error) {
      const code = error instanceof QueryFailedError ? (error.driverError as { code?: string }).code : undefined;
      if (code === FOREIGN_KEY_VIOLATION) throw new UnknownUserError((order as Order).userId, { cause: error });
      throw error;
    }
  }
}
