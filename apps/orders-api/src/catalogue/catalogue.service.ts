import { InjectRepository, Repository } from '@core-infra/database';
import { type CursorPageOf, type PageOf, type PageQuery, ResourceNotFoundError } from '@core-infra/http';
import { Injectable } from '@nestjs/common';
import { listPage } from '../common/list-page.js';
import type { CreateProduct } from './catalogue.dto.js';
import { SkuTakenError } from './catalogue.errors.js';
import { Product } from './product.entity.js';

@Injectable()
export class CatalogueService {
  constructor(@InjectRepository(Product) private readonly products: Repository<Product>) {}

  /** @throws SkuTakenError */
  async create({ sku, name, price, stock, is_active = true }: CreateProduct): Promise<Product> {
    const { raw } = await this.products
      .createQueryBuilder()
      .insert()
      .values({ sku, name, priceAmount: price.amount, currency: price.currency, stock, isActive: is_active })
      .orIgnore()
      .returning('id')
      .execute();
    const created = (raw as { id: string }[])[0];
    if (!created) throw new SkuTakenError(sku);
    return this.byId(created.id);
  }

  /** @throws ResourceNotFoundError */
  async byId(id: string): Promise<Product> {
    const product = await this.products.findOneBy({ id });
    if (!product) throw new ResourceNotFoundError('Product', id);
    return product;
  }

  list(query: PageQuery): Promise<PageOf<Product> | CursorPageOf<Product>> {
    return listPage(this.products.createQueryBuilder('product'), query, {
      sku: 'sku',
      name: 'name',
      price: 'priceAmount',
      currency: 'currency',
      stock: 'stock',
      is_active: 'isActive',
      created_at: 'createdAt',
    });
  }
}
