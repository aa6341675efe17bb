import { Cache, type CachedLoader } from '@core-infra/cache';
import { type CursorPageOf, type PageOf, type PageQuery } from '@core-infra/http';
import { Injectable } from '@nestjs/common';
import { ProductAnswer } from './catalogue.dto.js';
import { CatalogueService } from './catalogue.service.js';

type ProductPage = PageOf<ProductAnswer> | CursorPageOf<ProductAnswer>;

/** What the catalogue answers, cached as it is answered. Whoever changes a product says so with {@link ProductReads.changed}. */
@Injectable()
export class ProductReads {
  private readonly products: CachedLoader<[id: string], ProductAnswer>;
  private readonly pages: CachedLoader<[query: PageQuery], ProductPage>;

  constructor(catalogue: CatalogueService, cache: Cache) {
    this.products = cache.define('product', {
      key: (id: string) => id.toLowerCase(),
      load: async (id: string) => ProductAnswer.of(await catalogue.byId(id)),
    });
    this.pages = cache.define('product-page', {
      key: (query: PageQuery) => JSON.stringify(query),
      load: async (query: PageQuery) => {
        const page = await catalogue.list(query);
        return { ...page, items: page.items.map(product => ProductAnswer.of(product)) };
      },
    });
  }

  /** @throws ResourceNotFoundError */
  byId(id: string): Promise<ProductAnswer> {
    return this.products.get(id);
  }

  list(query: PageQuery): Promise<ProductPage> {
    return this.pages.get(query);
  }

  /** To be called once the change is committed: a read before that would bring back what was. */
  async changed(ids: Iterable<string>): Promise<void> {
    await Promise.all([...[...ids].map(id => this.products.delete(id)), this.pages.clear()]);
  }
}
