import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables of the outbox. */
export class CreateMessagingOutbox1763700000001 implements MigrationInterface {
  readonly name = 'CreateMessagingOutbox1763700000001';

  async up(runner: QueryRunner): Promise<void> {
    const columns = `
      bucket smallint NOT NULL,
      id text NOT NULL,
      kind text NOT NULL,
      topic text NOT NULL,
      key text,
      headers jsonb NOT NULL,
      body bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp()`;
    // Rows come and go at the rate of the events: they are vacuumed by their number and not by a share of the table, and bodies are left uncompressed,
    // since they are read once.
    const storage = `
      autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
      autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000, autovacuum_vacuum_cost_delay = 0`;
    await runner.query(
      `CREATE TABLE messaging_outbox (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ${columns}) WITH (${storage})`,
    );
    await runner.query('ALTER TABLE messaging_outbox ALTER COLUMN body SET STORAGE EXTERNAL');
    await runner.query(
      `CREATE TABLE messaging_scheduled (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, due_at timestamptz NOT NULL, ${columns}) WITH (${storage})`,
    );
    await runner.query('CREATE INDEX messaging_scheduled_due ON messaging_scheduled (due_at, seq)');
    // A relay holds the lock of a bucket's row while it publishes that bucket's events.
    await runner.query('CREATE TABLE messaging_outbox_buckets (bucket smallint PRIMARY KEY)');
    await runner.query('INSERT INTO messaging_outbox_buckets SELECT generate_series(0, 15)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE messaging_outbox_buckets, messaging_scheduled, messaging_outbox');
  }
}
