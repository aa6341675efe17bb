import { defineEvent } from '@core-infra/messaging';
import { IsUUID } from 'class-validator';

/** The customer does not want it any more: what is reserved is released, what was charged is refunded. */
export class OrderCancelled {
  @IsUUID() order_id!: string;
}

/** Published by orders-api with the cancellation. It has another topic than `orders.placed`, and may overtake it. */
export const orderCancelled = defineEvent('orders.cancelled', {
  schema: OrderCancelled,
  key: ({ order_id }) => order_id,
});
