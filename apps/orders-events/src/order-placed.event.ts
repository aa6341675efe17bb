import { defineEvent } from '@core-infra/messaging';
import { Type } from 'class-transformer';
import { ArrayMinSize, IsArray, IsInt, IsString, IsUUID, Length, Min, ValidateNested } from 'class-validator';
import { MoneyData } from './money.data.js';

export class OrderedProduct {
  @IsUUID() product_id!: string;
  @IsInt() @Min(1) quantity!: number;
}

/** A customer wants these products, and is to be charged. */
export class OrderPlaced {
  @IsUUID() order_id!: string;
  @IsUUID() user_id!: string;
  @ValidateNested() @Type(() => MoneyData) total!: MoneyData;
  /** What the payment provider calls the customer's card; never its number. */
  @IsString() @Length(1, 100) card!: string;
  @IsArray() @ArrayMinSize(1) @ValidateNested({ each: true }) @Type(() => OrderedProduct) lines!: OrderedProduct[];
}

/** Published by orders-api with the order. */
export const orderPlaced = defineEvent('orders.placed', { schema: OrderPlaced, key: ({ order_id }) => order_id });
