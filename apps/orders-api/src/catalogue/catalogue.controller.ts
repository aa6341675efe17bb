import { ApiErrors, type CursorPageOf, Page, type PageOf, PageQuery, ResourceNotFoundError } from '@core-infra/http';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { IdParam } from '../common/id.param.js';
import { ApiPage } from '../common/page-type.js';
import { AdjustStock, CreateProduct, ProductAnswer } from './catalogue.dto.js';
import { OutOfStockError, SkuTakenError } from './catalogue.errors.js';
import { CatalogueService } from './catalogue.service.js';
import { ProductReads } from './product.reads.js';
import { StockService } from './stock.service.js';

@ApiTags('catalogue')
@Controller('products')
export class CatalogueController {
  constructor(
    private readonly catalogue: CatalogueService,
    private readonly stock: StockService,
    private readonly reads: ProductReads,
  ) {}

  @Post()
  @ApiCreatedResponse({ type: ProductAnswer })
  @ApiOperation({ summary: 'Add a product' })
  @ApiErrors(SkuTakenError)
  async create(@Body() product: CreateProduct): Promise<ProductAnswer> {
    const created = await this.catalogue.create(product);
    await this.reads.changed([created.id]);
    return ProductAnswer.of(created);
  }

  @Get()
  @ApiPage(ProductAnswer)
  @ApiOperation({ summary: 'List products, by page or by cursor' })
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
    return this.reads.list(query);
  }

  @Get(':id')
  @ApiOkResponse({ type: ProductAnswer })
  @ApiOperation({ summary: 'Read a product' })
  @ApiErrors(ResourceNotFoundError)
  async byId(@Param() { id }: IdParam): Promise<ProductAnswer> {
    return this.reads.byId(id);
  }

  @Post(':id/stock')
  @HttpCode(200)
  @ApiOkResponse({ type: ProductAnswer })
  @ApiOperation({ summary: 'Put products into stock, or take them out' })
  @ApiErrors(ResourceNotFoundError, OutOfStockError)
  async adjustStock(@Param() { id }: IdParam, @Body() { change }: AdjustStock): Promise<ProductAnswer> {
    return ProductAnswer.of(await this.stock.adjust(id, change));
  }
}
