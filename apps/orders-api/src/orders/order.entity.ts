import type { RejectionReason } from 'orders-events';
import { Column, CreateDateColumn, Entity, OneToMany, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { safeBigint } from '../common/safe-bigint.js';
import { OrderLine } from './order-line.entity.js';

/** `placed` until orders-worker has said whether it is `paid` or `rejected`; the customer may cancel it before and after it is paid. */
export const orderStatuses = ['placed', 'paid', 'rejected', 'cancelled'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

@Entity('orders')
export class Order {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'uuid', name: 'user_id' }) userId!: string;
  @Column({ type: 'varchar', length: 20 }) status!: OrderStatus;
  /** What is to be paid, in minor units of the currency. */
  @Column({ type: 'bigint', name: 'total_amount', transformer: safeBigint }) totalAmount!: number;
  /** What was taken off the sum of the lines, in minor units of the currency. */
  @Column({ type: 'bigint', name: 'discount_amount', transformer: safeBigint }) discountAmount!: number;
  @Column({ type: 'char', length: 3 }) currency!: string;
  @CreateDateColumn({ type: 'timestamptz', precision: 3, name: 'created_at' }) createdAt!: Date;
  @Column({ type: 'timestamptz', precision: 3, name: 'cancelled_at', nullable: true }) cancelledAt!: Date | null;
  @Column({ type: 'timestamptz', precision: 3, name: 'paid_at', nullable: true }) paidAt!: Date | null;
  @Column({ type: 'varchar', length: 40, name: 'rejection_reason', nullable: true })
  rejectionReason!: RejectionReason | null;
  @OneToMany(() => OrderLine, line => line.order, { cascade: ['insert'] }) lines!: Relation<OrderLine>[];
}
