import { type CursorPageOf, Page, type PageOf, PageQuery } from '@core-infra/http';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { IdParam } from '../common/id.param.js';
import { ApiPage } from '../common/page-type.js';
import { AdjustStock, CreateProduct, ProductAnswer } from './catalogue.dto.js';
import { CatalogueService } from './catalogue.service.js';
import { StockService } from './stock.service.js';

@ApiTags('catalogue')
@Controller('products')
export class CatalogueController {
  constructor(
    private readonly catalogue: CatalogueService,
    private readonly stock: StockService,
  ) {}

  @Post()
  @ApiCreatedResponse({ type: ProductAnswer })
  async create(@Body() product: CreateProduct): Promise<ProductAnswer> {
    return ProductAnswer.of(await this.catalogue.create(product));
  }

  @Get()
  @ApiPage(ProductAnswer)
  async list(
    @Page({
      sort: ['sku', 'name', 'price', 'stock', 'created_at'],
      cursor: true,
      filter: {
        sku: 'string',
        name: 'string',
        price: 'integer',
        currency: 'string',
        stock: 'integer',
        is_active: 'boolean',
        created_at: 'date',
      },
    })
    query: PageQuery,
  ): Promise<PageOf<ProductAnswer> | CursorPageOf<ProductAnswer>> {
    const page = await this.catalogue.list(query);
    return { ...page, items: page.items.map(product => ProductAnswer.of(product)) };
  }

  @Get(':id')
  @ApiOkResponse({ type: ProductAnswer })
  async byId(@Param() { id }: IdParam): Promise<ProductAnswer> {
    return ProductAnswer.of(await this.catalogue.byId(id));
  }

  @Post(':id/stock')
  @HttpCode(200)
  @ApiOkResponse({ type: ProductAnswer })
  async adjustStock(@Param() { id }: IdParam, @Body() { change }: AdjustStock): Promise<ProductAnswer> {
    return ProductAnswer.of(await this.stock.adjust(id, change));
  }
}
