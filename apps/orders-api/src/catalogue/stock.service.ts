import { InjectRepository, Repository, Transactional, Transactions } from '@core-infra/database';
import { ResourceNotFoundError } from '@core-infra/http';
import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { OutOfStockError, UnknownProductError } from './catalogue.errors.js';
import { Product } from './product.entity.js';
import { ProductReads } from './product.reads.js';

/** So many of a product. */
export interface Quantity {
  readonly productId: string;
  readonly quantity: number;
}

/** How many of each product there are. Rows are locked in the order of their ids, so that no two calls wait for each other. */
@Injectable()
export class StockService {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    private readonly transactions: Transactions,
    private readonly reads: ProductReads,
  ) {}

  /**
   * Takes the quantities out of stock, all or none, in the running transaction or in one of its own.
   * @returns the products by id, as they are sold
   * @throws UnknownProductError, OutOfStockError
   */
  @Transactional()
  async take(wanted: readonly Quantity[]): Promise<Map<string, Product>> {
    const products = await this.lock(wanted.map(({ productId }) => productId));
    const unknown = wanted.filter(({ productId }) => !products.get(productId)?.isActive);
    if (unknown.length > 0) throw new UnknownProductError(unknown.map(({ productId }) => productId));
    const short = wanted.filter(({ productId, quantity }) => products.get(productId)!.stock < quantity);
    if (short.length > 0) {
      throw new OutOfStockError(
        short.map(({ productId, quantity }) => ({
          product_id: productId,
          requested: quantity,
          in_stock: products.get(productId)!.stock,
        })),
      );
    }
    for (const { productId, quantity } of wanted) await this.products.decrement({ id: productId }, 'stock', quantity);
    return products;
  }

  /** Puts the quantities back. */
  @Transactional()
  async putBack(returned: readonly Quantity[]): Promise<void> {
    await this.lock(returned.map(({ productId }) => productId));
    for (const { productId, quantity } of returned) await this.products.increment({ id: productId }, 'stock', quantity);
  }

  /** @throws ResourceNotFoundError, OutOfStockError */
  @Transactional()
  async adjust(productId: string, change: number): Promise<Product> {
    const product = (await this.lock([productId])).get(productId);
    if (!product) throw new ResourceNotFoundError('Product', productId);
    if (product.stock + change < 0)
      throw new OutOfStockError([{ product_id: productId, requested: -change, in_stock: product.stock }]);
    await this.products.increment({ id: productId }, 'stock', change);
    return { ...product, stock: product.stock + change };
  }

  /** Locks the products, as they are about to change, and has what was cached of them forgotten once they have. */
  private async lock(ids: readonly string[]): Promise<Map<string, Product>> {
    this.transactions.onCommit(() => this.reads.changed(ids));
    const products = await this.products.find({
      where: { id: In([...ids]) },
      order: { id: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
    return new Map(products.map(product => [product.id, product]));
  }
}
