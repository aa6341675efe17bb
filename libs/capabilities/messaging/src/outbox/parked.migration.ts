import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages of keys that wait for another attempt. */
export class CreateMessagingParked1763700000004 implements MigrationInterface {
  readonly name = 'CreateMessagingParked1763700000004';

  async up(runner: QueryRunner): Promise<void> {
    // `lane` and `event` are SHA-256 of the key, and of topic and id: of one size, whatever a sender puts there. `key` is for who looks.
    await runner.query(
      `CREATE TABLE messaging_parked (
         seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         "group" text NOT NULL,
         topic text NOT NULL,
         partition integer NOT NULL,
         lane bytea NOT NULL,
         key text NOT NULL,
         event bytea NOT NULL,
         envelope json NOT NULL,
         body bytea NOT NULL,
         received_at timestamptz NOT NULL,
         attempts integer NOT NULL,
         first_attempt_at timestamptz,
         due_at timestamptz NOT NULL,
         reason text NOT NULL,
         parked_at timestamptz NOT NULL DEFAULT now(),
         UNIQUE ("group", event)
       ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`,
    );
    await runner.query('CREATE INDEX messaging_parked_lane ON messaging_parked ("group", topic, partition, lane, seq)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE messaging_parked');
  }
}
