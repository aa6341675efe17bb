import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Order } from './order.entity.js';

/** What was bought, as it was then: a later price or name does not change an order. */
@Entity('order_lines')
export class OrderLine {
  @PrimaryColumn({ type: 'uuid', name: 'order_id' }) orderId!: string;
  /** Counted from 1. */
  @PrimaryColumn({ type: 'smallint' }) position!: number;
  @ManyToOne(() => Order, order => order.lines)
  @JoinColumn({ name: 'order_id' })
  order!: Relation<Order>;
  @Column({ type: 'uuid', name: 'product_id' }) productId!: string;
  @Column({ type: 'varchar', length: 40 }) sku!: string;
  @Column({ type: 'varchar', length: 200 }) name!: string;
  /** In minor units of the order's currency. */
  @Column({ type: 'integer', name: 'unit_amount' }) unitAmount!: number;
  @Column({ type: 'integer' }) quantity!: number;
}
