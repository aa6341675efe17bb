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

/** How many of each product there are. */
@Injectable()
export class StockService {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    private readonly transactions: Transactions,
    private readonly reads: ProductReads,
  ) {}

  /**
   * Whether so many can be had, as things stand: nothing is taken, that is for orders-worker to do, and others may be faster.
   * @returns the products by id, as they are sold
   * @throws UnknownProductError, OutOfStockError
   */
  async look(wanted: readonly Quantity[]): Promise<Map<string, Product>> {
    const found = await this.products.findBy({ id: In(wanted.map(({ productId }) => productId)) });
    const products = new Map(found.map(product => [product.id, product]));
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
    return products;
  }

  /** @throws ResourceNotFoundError, OutOfStockError */
  @Transactional()
  async adjust(productId: string, change: number): Promise<Product> {
    // What was cached of it is forgotten once it has changed, and never before.
    this.transactions.onCommit(() => this.reads.changed([productId]));
    const product = await this.products.findOne({ where: { id: productId }, lock: { mode: 'pessimistic_write' } });
    if (!product) throw new ResourceNotFoundError('Product', productId);
    if (product.stock + change < 0)
      throw new OutOfStockError([{ product_id: productId, requested: -change, in_stock: product.stock }]);
    await this.products.increment({ id: productId }, 'stock', change);
    return { ...product, stock: product.stock + change };
  }
}
