import type { OrderedProduct } from 'orders-events';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** `held` until it is known whether its order is `paid` or `rejected`; `cancelled` comes from anywhere but `rejected`. */
export type ReservationState = 'held' | 'paid' | 'rejected' | 'cancelled';

/** What an order holds of the stock. */
@Entity('reservations')
export class Reservation {
  @PrimaryColumn({ type: 'uuid', name: 'order_id' }) orderId!: string;
  @Column({ type: 'varchar', length: 20 }) state!: ReservationState;
  @Column({ type: 'jsonb' }) lines!: OrderedProduct[];
  @Column({ type: 'timestamptz', precision: 3, name: 'updated_at', default: () => 'now()' }) updatedAt!: Date;
  @Column({ type: 'varchar', length: 100, name: 'payment_id', nullable: true }) paymentId!: string | null;
}
