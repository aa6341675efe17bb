import { MessageContext, type RetryOptions, Subscribe } from '@core-infra/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { OrderCancelled, orderCancelled, OrderPlaced, orderPlaced } from 'orders-events';
import { PaymentAnswerNotUnderstoodError } from '../payments/payments.errors.js';
import { Payments } from '../payments/payments.js';
import { FulfilmentService } from './fulfilment.service.js';

/** A provider that is away for hours rejects nobody: attempts are limited by the age of the order alone. To nonsense it is not listened twice. */
const retry: RetryOptions = {
  attempts: 10_000,
  maxDelayMs: 30_000,
  retryable: error => (error instanceof PaymentAnswerNotUnderstoodError ? false : undefined),
};

/**
 * Money moves outside of the database, so no transaction can make these handlers happen once. They consist of steps instead that can be run
 * again: the database's know by the reservation what was done, the provider's by their keys. Hence no inbox, and no transaction that is
 * open while a provider takes its time.
 *
 * A charge and a cancellation may cross, and one order may be in two hands for a while, when an attempt hangs and is made again elsewhere.
 * So whoever finds that an order is not paid in the end has the provider give back what was charged for it, by whomever, and take no more:
 * to refund what was not charged, or twice, changes nothing.
 */
@Controller()
export class FulfilmentEvents {
  constructor(
    private readonly fulfilment: FulfilmentService,
    private readonly payments: Payments,
  ) {}

  @Subscribe(orderPlaced, { idempotent: false, retry })
  async placed(@Payload() order: OrderPlaced, @Ctx() { signal }: MessageContext): Promise<void> {
    let state = await this.fulfilment.reserve(order);
    if (state === 'held') {
      const charge = await this.payments.charge(order.order_id, order.total, order.card, signal);
      state = await this.fulfilment.conclude(order.order_id, charge);
    }
    if (state !== 'paid') await this.payments.refund(order.order_id, signal);
  }

  @Subscribe(orderCancelled, { idempotent: false, retry })
  async cancelled(@Payload() { order_id }: OrderCancelled, @Ctx() { signal }: MessageContext): Promise<void> {
    await this.fulfilment.cancel(order_id);
    await this.payments.refund(order_id, signal);
  }
}
