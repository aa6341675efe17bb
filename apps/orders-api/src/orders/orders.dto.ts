import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsInt,
  IsUUID,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { type RejectionReason, rejectionReasons } from 'orders-events';
import { MayBeLeftOut, Text } from '../common/input.js';
import { Money } from '../common/money.js';
import type { OrderLine } from './order-line.entity.js';
import { type Order, type OrderStatus, orderStatuses } from './order.entity.js';

const MAX_LINES = 50;
const positive = { message: 'must be a positive integer' };

/** What is no text is for the rules of the line to say. */
const lowerCase = (id: unknown): unknown => (typeof id === 'string' ? id.toLowerCase() : id);

export class NewOrderLine {
  @ApiProperty({ format: 'uuid' })
  @IsUUID(undefined, { message: 'must be a UUID' })
  product_id!: string;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: 1_000, example: 2 })
  @Max(1_000)
  @Min(1, positive)
  @IsInt(positive)
  quantity!: number;
}

export class CreateOrder {
  @ApiProperty({ format: 'uuid' })
  @IsUUID(undefined, { message: 'must be a UUID' })
  user_id!: string;

  @ApiProperty({ type: [NewOrderLine], minItems: 1, maxItems: MAX_LINES })
  @IsArray()
  @ArrayMinSize(1, { message: 'must have a line' })
  @ArrayMaxSize(MAX_LINES)
  @ArrayUnique((line: NewOrderLine | undefined) => lowerCase(line?.product_id), {
    message: 'must name each product once',
  })
  @ValidateNested({ each: true })
  @Type(() => NewOrderLine)
  lines!: NewOrderLine[];

  @ApiPropertyOptional({
    default: 'card_ok',
    maxLength: 100,
    description: 'What the payment provider calls the card; `card_declined` is rejected by that of the sample',
  })
  @MayBeLeftOut()
  @Text({ max: 100 })
  card?: string;
}

export class OrderLineAnswer {
  @ApiProperty({ format: 'uuid' }) product_id!: string;
  @ApiProperty() sku!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ type: 'integer' }) quantity!: number;
  @ApiProperty({ type: Money }) unit_price!: Money;
  @ApiProperty({ type: Money }) price!: Money;

  static of({ productId, sku, name, quantity, unitAmount }: OrderLine, currency: string): OrderLineAnswer {
    const unit_price = { amount: unitAmount, currency };
    const price = { amount: unitAmount * quantity, currency };
    return { product_id: productId, sku, name, quantity, unit_price, price };
  }
}

/** An order in a list. */
export class OrderSummary {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty({ format: 'uuid' }) user_id!: string;
  @ApiProperty({ enum: orderStatuses }) status!: OrderStatus;
  @ApiProperty({ type: Money }) total!: Money;
  @ApiProperty({ type: Money, description: 'Taken off already' }) discount!: Money;
  @ApiProperty() created_at!: Date;
  @ApiProperty({ type: Date, nullable: true }) paid_at!: Date | null;
  @ApiProperty({ enum: rejectionReasons, nullable: true }) rejection_reason!: RejectionReason | null;
  @ApiProperty({ type: Date, nullable: true }) cancelled_at!: Date | null;

  static of(order: Order): OrderSummary {
    const { id, userId, status, totalAmount, discountAmount, currency } = order;
    return {
      id,
      user_id: userId,
      status,
      total: { amount: totalAmount, currency },
      discount: { amount: discountAmount, currency },
      created_at: order.createdAt,
      paid_at: order.paidAt,
      rejection_reason: order.rejectionReason,
      cancelled_at: order.cancelledAt,
    };
  }
}

export class OrderAnswer extends OrderSummary {
  @ApiProperty({ type: [OrderLineAnswer] }) lines!: OrderLineAnswer[];

  static override of(order: Order): OrderAnswer {
    const lines = [...order.lines].sort((a, b) => a.position - b.position);
    return { ...OrderSummary.of(order), lines: lines.map(line => OrderLineAnswer.of(line, order.currency)) };
  }
}
