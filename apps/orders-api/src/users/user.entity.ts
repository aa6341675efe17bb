import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';

@Entity('users')
export class User {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'varchar', length: 100, name: 'first_name' }) firstName!: string;
  @Column({ type: 'varchar', length: 100, name: 'last_name' }) lastName!: string;
  @Column({ type: 'varchar', length: 100, unique: true }) email!: string;
  @Column({ type: 'varchar', length: 20, nullable: true }) phone!: string | null;
  /** Salted hash; read only where it is asked for by name. */
  @Column({ type: 'varchar', length: 255, select: false }) password!: string;
  @CreateDateColumn({ type: 'timestamp', name: 'created_at' }) createdAt!: Date;
  @UpdateDateColumn({ type: 'timestamp', name: 'updated_at' }) updatedAt!: Date;
}
