import { defineEvent } from '@core-infra/messaging';
import { IsIn, IsString, IsUUID, Length } from 'class-validator';

/** Its products are reserved and its customer has been charged. */
export class OrderPaid {
  @IsUUID() order_id!: string;
  @IsString() @Length(1, 100) payment_id!: string;
}

export const rejectionReasons = ['out_of_stock', 'card_declined'] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

/** It will not be delivered; nothing is reserved for it, and nobody was charged. */
export class OrderRejected {
  @IsUUID() order_id!: string;
  @IsIn(rejectionReasons) reason!: RejectionReason;
}

/** Published by orders-worker, one of the two for each order that was not cancelled meanwhile. */
export const orderPaid = defineEvent('orders.paid', { schema: OrderPaid, key: ({ order_id }) => order_id });
export const orderRejected = defineEvent('orders.rejected', { schema: OrderRejected, key: ({ order_id }) => order_id });
