import { Cache, type CachedLoader } from '@core-infra/cache';
import { Injectable } from '@nestjs/common';
import { OrderAnswer } from './orders.dto.js';
import { OrdersService } from './orders.service.js';

/** Orders as they are answered, cached. */
@Injectable()
export class OrderReads {
  private readonly orders: CachedLoader<[id: string], OrderAnswer>;

  constructor(orders: OrdersService, cache: Cache) {
    this.orders = cache.define('order', {
      key: (id: string) => id.toLowerCase(),
      load: async (id: string) => OrderAnswer.of(await orders.byId(id)),
    });
  }

  /** @throws ResourceNotFoundError */
  byId(id: string): Promise<OrderAnswer> {
    return this.orders.get(id);
  }

  /** To be called once the change is committed. */
  changed(id: string): Promise<void> {
    return this.orders.delete(id);
  }
}
