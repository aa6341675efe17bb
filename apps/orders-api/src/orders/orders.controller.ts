import { ApiErrors, type CursorPageOf, Page, type PageOf, PageQuery, ResourceNotFoundError } from '@core-infra/http';
import { RateLimit, RateLimitedError } from '@core-infra/rate-limit';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { IdParam } from '../common/id.param.js';
import { ApiPage } from '../common/page-type.js';
import { CreateOrder, OrderAnswer, OrderSummary } from './orders.dto.js';
import { OutOfStockError, UnknownProductError } from '../catalogue/catalogue.errors.js';
import { orderStatuses } from './order.entity.js';
import {
  MixedCurrenciesError,
  OrderAlreadyCancelledError,
  OrderRejectedError,
  UnknownUserError,
} from './orders.errors.js';
import { OrderReads } from './order.reads.js';
import { OrdersService } from './orders.service.js';

@ApiTags('orders')
@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly reads: OrderReads,
  ) {}

  @Post()
  @RateLimit({ name: 'place-order', limit: 60, windowMs: 60_000, by: ({ request }) => userOf(request?.body) })
  @ApiCreatedResponse({ type: OrderAnswer })
  @ApiOperation({ summary: 'Place an order' })
  @ApiErrors(OutOfStockError, UnknownProductError, MixedCurrenciesError, UnknownUserError, RateLimitedError)
  async create(@Body() order: CreateOrder): Promise<OrderAnswer> {
    return OrderAnswer.of(await this.orders.create(order));
  }

  @Get()
  @ApiPage(OrderSummary)
  @ApiOperation({ summary: 'List orders, by page or by cursor' })
  async list(
    @Page({
      sort: ['created_at', 'total'],
      defaultOrder: 'desc',
      cursor: true,
      filter: {
        status: [...orderStatuses],
        user_id: 'uuid',
        total: 'integer',
        currency: 'string',
        created_at: 'date',
      },
    })
    query: PageQuery,
  ): Promise<PageOf<OrderSummary> | CursorPageOf<OrderSummary>> {
    const page = await this.orders.list(query);
    return { ...page, items: page.items.map(order => OrderSummary.of(order)) };
  }

  @Get(':id')
  @ApiOkResponse({ type: OrderAnswer })
  @ApiOperation({ summary: 'Read an order with its lines' })
  @ApiErrors(ResourceNotFoundError)
  async byId(@Param() { id }: IdParam): Promise<OrderAnswer> {
    return this.reads.byId(id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOkResponse({ type: OrderAnswer })
  @ApiOperation({ summary: 'Cancel an order: its products go back, and its money too' })
  @ApiErrors(ResourceNotFoundError, OrderAlreadyCancelledError, OrderRejectedError)
  async cancel(@Param() { id }: IdParam): Promise<OrderAnswer> {
    const order = await this.orders.cancel(id);
    await this.reads.changed(id);
    return OrderAnswer.of(order);
  }
}

/** The body as it was sent, before validation; an order of nobody is limited by its address. */
function userOf(body: unknown): string | undefined {
  const id = (body as { user_id?: unknown } | null | undefined)?.user_id;
  return typeof id === 'string' ? id.toLowerCase() : undefined;
}
