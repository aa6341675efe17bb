import { createHash } from 'node:crypto';
import { escapeIdentifier } from 'pg';
import type { QueryRunner } from 'typeorm';
import type { Migration } from './migration.js';

/** What the database has recorded of a migration. */
export interface Applied {
  readonly name: string;
  readonly checksum: string | null;
  readonly appliedAt: Date;
}

/** The table of what was applied. */
export class History {
  private readonly table: string;
  /** Of the advisory lock that goes with the table. */
  readonly lockKey: string;

  constructor(table: string) {
    this.table = table.split('.').map(escapeIdentifier).join('.');
    const digest = createHash('sha256').update(`core-infra:migrations:${table}`).digest();
    this.lockKey = digest.readBigInt64BE(0).toString();
  }

  async create(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE IF NOT EXISTS ${this.table} (
        name text PRIMARY KEY,
        checksum text,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        applied_by text NOT NULL DEFAULT current_user,
        duration_ms integer NOT NULL
      )`,
    );
  }

  /** In order of application; nothing when the table does not exist yet. */
  async read(runner: QueryRunner): Promise<Applied[]> {
    const [found] = (await runner.query('SELECT to_regclass($1) IS NOT NULL AS exists', [this.table])) as {
      exists: boolean;
    }[];
    if (!found!.exists) return [];
    return (await runner.query(
      `SELECT name, checksum, applied_at AS "appliedAt" FROM ${this.table} ORDER BY applied_at, name`,
    )) as Applied[];
  }

  async add(runner: QueryRunner, { name, checksum }: Migration, durationMs: number): Promise<void> {
    await runner.query(`INSERT INTO ${this.table} (name, checksum, duration_ms) VALUES ($1, $2, $3)`, [
      name,
      checksum ?? null,
      Math.round(durationMs),
    ]);
  }

  async remove(runner: QueryRunner, name: string): Promise<void> {
    await runner.query(`DELETE FROM ${this.table} WHERE name = $1`, [name]);
  }
}
