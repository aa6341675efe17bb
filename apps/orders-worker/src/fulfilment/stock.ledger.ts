import { DataSource } from '@core-infra/database';
import { EventBus } from '@core-infra/messaging';
import { Injectable } from '@nestjs/common';
import { type OrderedProduct, stockChanged } from 'orders-events';

interface Stock {
  readonly id: string;
  readonly stock: number;
}

/** How many of each product there are; in the running transaction. */
@Injectable()
export class StockLedger {
  constructor(
    private readonly database: DataSource,
    private readonly events: EventBus,
  ) {}

  /** Takes all of the lines, or nothing when one is short. @returns whether it has */
  async take(lines: readonly OrderedProduct[]): Promise<boolean> {
    const stock = new Map((await this.lock(lines)).map(({ id, stock }) => [id, stock]));
    if (lines.some(({ product_id, quantity }) => (stock.get(product_id) ?? 0) < quantity)) return false;
    await this.change(lines, -1);
    return true;
  }

  async putBack(lines: readonly OrderedProduct[]): Promise<void> {
    if (lines.length === 0) return;
    await this.lock(lines);
    await this.change(lines, 1);
  }

  /** In the order of their ids, so that no two transactions wait for each other. */
  private lock(lines: readonly OrderedProduct[]): Promise<Stock[]> {
    return this.database.query(`SELECT id, stock FROM products WHERE id = ANY($1) ORDER BY id FOR UPDATE`, [
      lines.map(({ product_id }) => product_id),
    ]);
  }

  private async change(lines: readonly OrderedProduct[], sign: 1 | -1): Promise<void> {
    const product_ids = lines.map(({ product_id }) => product_id);
    await this.database.query(
      `UPDATE products SET stock = stock + line.change
       FROM unnest($1::uuid[], $2::int[]) AS line (product_id, change) WHERE id = line.product_id`,
      [product_ids, lines.map(({ quantity }) => sign * quantity)],
    );
    await this.events.publish(stockChanged.of({ product_ids }));
  }
}
