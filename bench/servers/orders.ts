import { Controller, Get, Injectable, NotFoundException, Param } from '@nestjs/common';

interface Order {
  readonly id: string;
  readonly customer: string;
  readonly status: 'paid' | 'open';
  readonly totalMinor: number;
  readonly currency: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly priceMinor: number }[];
}

/** Answers from memory, so that what is measured is what stands around it. */
@Injectable()
export class OrdersService {
  private readonly orders = new Map<string, Order>(
    Array.from({ length: 100 }, (_, at) => {
      const lines = [1, 2, 3].map(line => ({ sku: `SKU-${at}-${line}`, quantity: line, priceMinor: 1_250 * line }));
      return [
        String(at),
        { id: String(at), customer: `c-${at}`, status: 'paid', totalMinor: 17_500, currency: 'EUR', lines },
      ];
    }),
  );

  find(id: string): Order {
    const order = this.orders.get(id);
    if (!order) throw new NotFoundException(`There is no order ${id}.`);
    return order;
  }
}

/** The one route that every variant serves. */
@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Get(':id')
  find(@Param('id') id: string): Order {
    return this.orders.find(id);
  }
}

/** Where it is found: `HttpModule`'s own prefix, so that all variants route the same path. */
export const prefix = '/api/v1';
export const orderPath = `${prefix}/orders/42`;
