import { InjectRepository, Repository } from '@core-infra/database';
import { AppLogger } from '@core-infra/logger';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Product } from './product.entity.js';
import { sampleCatalogue } from './sample-catalogue.js';
import { SampleConfig } from './sample.config.js';

/** Fills the catalogue of the sample, so that there is something to order. Any number of processes may do so at once. */
@Injectable()
export class CatalogueSeed implements OnApplicationBootstrap {
  constructor(
    private readonly config: SampleConfig,
    @InjectRepository(Product) private readonly products: Repository<Product>,
    private readonly logger: AppLogger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!this.config.seed) return;
    const { raw } = await this.products
      .createQueryBuilder()
      .insert()
      .values(
        sampleCatalogue.map(([sku, name, priceAmount, stock]) => ({
          sku,
          name,
          priceAmount,
          currency: 'EUR',
          stock,
          isActive: true,
        })),
      )
      .orIgnore()
      .returning('id')
      .execute();
    const added = (raw as unknown[]).length;
    if (added > 0) this.logger.info('sample catalogue added', { products: added });
  }
}
