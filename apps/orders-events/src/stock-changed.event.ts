import { defineEvent } from '@core-infra/messaging';
import { IsArray, IsUUID } from 'class-validator';

/** There are more or fewer of these products than before; whoever remembers how many looks again. */
export class StockChanged {
  @IsArray() @IsUUID(undefined, { each: true }) product_ids!: string[];
}

/** Published by orders-worker. Without a key: no order of these matters. */
export const stockChanged = defineEvent('stock.changed', { schema: StockChanged });
