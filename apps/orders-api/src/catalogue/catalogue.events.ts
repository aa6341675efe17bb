import { Subscribe } from '@core-infra/messaging';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { StockChanged, stockChanged } from 'orders-events';
import { ProductReads } from './product.reads.js';

/** What orders-worker has to say of products. */
@Controller()
export class CatalogueEvents {
  constructor(private readonly reads: ProductReads) {}

  /** Many at once, as forgetting is cheaper so; and without the inbox, as to forget twice does no harm. */
  @Subscribe(stockChanged, { batch: true, idempotent: false })
  async stockChanged(@Payload() changes: readonly StockChanged[]): Promise<void> {
    await this.reads.changed(new Set(changes.flatMap(({ product_ids }) => product_ids)));
  }
}
