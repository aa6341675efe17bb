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
    const wanted = sumOf(lines);
    const stock = new Map((await this.lock(wanted)).map(({ id, stock }) => [id, stock]));
    for (const [id, quantity] of wanted) if ((stock.get(id) ?? 0) < quantity) return false;
    await this.change(wanted, -1);
    return true;
  }

  async putBack(lines: readonly OrderedProduct[]): Promise<void> {
    const held = sumOf(lines);
    if (held.size === 0) return;
    await this.lock(held);
    await this.change(held, 1);
  }

  /** In the order of their ids, so that no two transactions wait for each other; nor for an order that is being placed, which refers to them. */
  private lock(products: ReadonlyMap<string, number>): Promise<Stock[]> {
    return this.database.query(`SELECT id, stock FROM products WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`, [
      [...products.keys()],
    ]);
  }

  private async change(products: ReadonlyMap<string, number>, sign: 1 | -1): Promise<void> {
    const product_ids = [...products.keys()];
    await this.database.query(
      `UPDATE products SET stock = stock + line.change
       FROM unnest($1::uuid[], $2::int[]) AS line (product_id, change) WHERE id = line.product_id`,
      [product_ids, [...products.values()].map(quantity => sign * quantity)],
    );
    await this.events.publish(stockChanged.of({ product_ids }));
  }
}

/** How many of each product, written as the database writes its id: it may be in several lines. */
function sumOf(lines: readonly OrderedProduct[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const { product_id, quantity } of lines) {
    const id = product_id.toLowerCase();
    sum.set(id, (sum.get(id) ?? 0) + quantity);
  }
  return sum;
}
