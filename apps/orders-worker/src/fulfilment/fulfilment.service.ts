import { InjectRepository, Repository, Transactional } from '@core-infra/database';
import { AppLogger } from '@core-infra/logger';
import { EventBus } from '@core-infra/messaging';
import { Injectable } from '@nestjs/common';
import { orderPaid, type OrderPlaced, orderRejected } from 'orders-events';
import type { Charge } from '../payments/charge.js';
import { Reservation, type ReservationState } from './reservation.entity.js';
import { StockLedger } from './stock.ledger.js';

/**
 * The steps of an order, each a transaction that can be run again: what was done already is found in the reservation, and left alone. What a
 * step tells the others is in its transaction as well.
 */
@Injectable()
export class FulfilmentService {
  constructor(
    @InjectRepository(Reservation) private readonly reservations: Repository<Reservation>,
    private readonly stock: StockLedger,
    private readonly events: EventBus,
    private readonly logger: AppLogger,
  ) {}

  /** Reserves what was ordered, or rejects the order. @returns what has become of it, now or before */
  @Transactional()
  async reserve({ order_id, lines }: OrderPlaced): Promise<ReservationState> {
    const isNew = await this.begin(order_id, { state: 'held', lines });
    if (!isNew) return (await this.lock(order_id)).state;
    if (await this.stock.take(lines)) return 'held';
    await this.change(order_id, { state: 'rejected' });
    await this.events.publish(orderRejected.of({ order_id, reason: 'out_of_stock' }));
    this.logger.info('order rejected', { orderId: order_id, reason: 'out_of_stock' });
    return 'rejected';
  }

  /** Concludes with what the payment provider has said. @returns what has become of the order, now or before */
  @Transactional()
  async conclude(order_id: string, charge: Charge): Promise<ReservationState> {
    const { state, lines } = await this.lock(order_id);
    if (state !== 'held') return state;
    if (charge.declined) {
      await this.stock.putBack(lines);
      await this.change(order_id, { state: 'rejected' });
      await this.events.publish(orderRejected.of({ order_id, reason: 'card_declined' }));
      this.logger.info('order rejected', { orderId: order_id, reason: 'card_declined' });
      return 'rejected';
    }
    await this.change(order_id, { state: 'paid', paymentId: charge.paymentId });
    await this.events.publish(orderPaid.of({ order_id, payment_id: charge.paymentId }));
    this.logger.info('order paid', { orderId: order_id, paymentId: charge.paymentId });
    return 'paid';
  }

  /** Releases what the order holds. When it comes before the order itself, that finds it cancelled. */
  @Transactional()
  async cancel(order_id: string): Promise<void> {
    if (await this.begin(order_id, { state: 'cancelled', lines: [] })) return;
    const { state, lines } = await this.lock(order_id);
    if (state !== 'held' && state !== 'paid') return;
    await this.stock.putBack(lines);
    await this.change(order_id, { state: 'cancelled' });
    this.logger.info('reservation released', { orderId: order_id });
  }

  /** @returns whether there was no reservation yet; who comes second waits for the first one's transaction */
  private async begin(orderId: string, fields: Pick<Reservation, 'state' | 'lines'>): Promise<boolean> {
    const { raw } = await this.reservations
      .createQueryBuilder()
      .insert()
      .values({ orderId, ...fields })
      .orIgnore()
      .returning('order_id')
      .execute();
    return (raw as unknown[]).length > 0;
  }

  private lock(orderId: string): Promise<Reservation> {
    return this.reservations.findOneOrFail({ where: { orderId }, lock: { mode: 'pessimistic_write' } });
  }

  private async change(orderId: string, fields: Partial<Pick<Reservation, 'state' | 'paymentId'>>): Promise<void> {
    await this.reservations.update({ orderId }, { ...fields, updatedAt: new Date() });
  }
}
