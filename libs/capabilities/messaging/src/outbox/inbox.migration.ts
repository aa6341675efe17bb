import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each group has handled. */
export class CreateMessagingInbox1763700000002 implements MigrationInterface {
  readonly name = 'CreateMessagingInbox1763700000002';

  async up(runner: QueryRunner): Promise<void> {
    // `event` is made of group, source and id (see inbox.events.ts): of one size, whatever a sender puts into its ids. `"group"` is there for who looks, or
    // has a group handle all again.
    await runner.query(
      `CREATE TABLE messaging_inbox (
         "group" text NOT NULL,
         event bytea PRIMARY KEY,
         handled_at timestamptz NOT NULL DEFAULT now()
       ) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05)`,
    );
    await runner.query('CREATE INDEX messaging_inbox_handled_at ON messaging_inbox (handled_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE messaging_inbox');
  }
}
