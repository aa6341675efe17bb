import type { MigrationInterface, QueryRunner } from 'typeorm';
import { parkedTable } from './stores/parked.table.js';

/** Messages of keys that wait for another attempt. */
export class CreateMessagingParked1763700000004 implements MigrationInterface {
  readonly name = 'CreateMessagingParked1763700000004';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of parkedTable('messaging_parked', 'messaging_parked_lane')) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE messaging_parked');
  }
}
