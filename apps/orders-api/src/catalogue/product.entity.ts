import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('products')
export class Product {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'varchar', length: 40, unique: true }) sku!: string;
  @Column({ type: 'varchar', length: 200 }) name!: string;
  /** In minor units of the currency. */
  @Column({ type: 'integer', name: 'price_amount' }) priceAmount!: number;
  @Column({ type: 'char', length: 3 }) currency!: string;
  @Column({ type: 'integer' }) stock!: number;
  @Column({ type: 'boolean', name: 'is_active' }) isActive!: boolean;
  @CreateDateColumn({ type: 'timestamptz', precision: 3, name: 'created_at' }) createdAt!: Date;
}
