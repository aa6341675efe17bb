import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each group has handled. */
export class CreateMessagingInbox1763700000002 implements MigrationInterface {
  readonly name = 'CreateMessagingInbox1763700000002';

  async up(runner: QueryRunner): Promise<void> {
    // `event` is the SHA-256 of source, "#" and id: of one size, whatever a sender puts into its ids.
    await runner.query(
      `CREATE TABLE messaging_inbox (
         "group" text NOT NULL,
         event bytea NOT NULL,
         handled_at timestamptz NOT NULL DEFAULT now(),
         PRIMARY KEY ("group", event)
       ) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05)`,
    );
    await runner.query('CREATE INDEX messaging_inbox_handled_at ON messaging_inbox (handled_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE messaging_inbox');
  }
}
