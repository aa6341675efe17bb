import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages that groups have given up. */
export class CreateMessagingDeadLetters1763700000003 implements MigrationInterface {
  readonly name = 'CreateMessagingDeadLetters1763700000003';

  async up(runner: QueryRunner): Promise<void> {
    // What came is in `envelope` and `body` as it was: `json` keeps any text, where `jsonb` and `text` refuse some. The columns beside them are
    // to search by, and cut where an index ends.
    await runner.query(
      `CREATE TABLE messaging_dead_letters (
         id uuid PRIMARY KEY,
         "group" text NOT NULL,
         topic text NOT NULL,
         key text,
         reason text NOT NULL,
         error_name text NOT NULL,
         error_code text,
         error json NOT NULL,
         envelope json NOT NULL,
         body bytea NOT NULL,
         partition integer NOT NULL,
         position bigint NOT NULL,
         attempts integer NOT NULL,
         first_attempt_at timestamptz NOT NULL,
         last_attempt_at timestamptz NOT NULL,
         trace_id text
       )`,
    );
    for (const column of ['"group"', 'topic', 'key', 'reason', 'error_name', 'error_code'])
      await runner.query(
        `CREATE INDEX messaging_dead_letters_${column.replaceAll('"', '')} ON messaging_dead_letters (${column}, id)`,
      );
    await runner.query('CREATE INDEX messaging_dead_letters_last ON messaging_dead_letters (last_attempt_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE messaging_dead_letters');
  }
}
