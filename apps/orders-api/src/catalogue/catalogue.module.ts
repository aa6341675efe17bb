import { DatabaseModule } from '@core-infra/database';
import { provideConfig } from '@core-infra/kernel';
import { Module } from '@nestjs/common';
import { CatalogueController } from './catalogue.controller.js';
import { CatalogueEvents } from './catalogue.events.js';
import { CatalogueSeed } from './catalogue.seed.js';
import { CatalogueService } from './catalogue.service.js';
import { Product } from './product.entity.js';
import { ProductReads } from './product.reads.js';
import { SampleConfig } from './sample.config.js';
import { StockService } from './stock.service.js';

@Module({
  imports: [DatabaseModule.forFeature([Product])],
  controllers: [CatalogueController, CatalogueEvents],
  providers: [CatalogueService, ProductReads, StockService, CatalogueSeed, ...provideConfig(SampleConfig)],
  exports: [StockService],
})
export class CatalogueModule {}
