import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Requests that were answered, by their idempotency keys. */
export class CreateMessagingIdempotencyKeys1763700000005 implements MigrationInterface {
  readonly name = 'CreateMessagingIdempotencyKeys1763700000005';

  async up(runner: QueryRunner): Promise<void> {
    // `scope` is the SHA-256 of user, route and key, `fingerprint` that of the request. An answer has a status; without one the request is under
    // way, and with 0 it is done, and its answer is not kept.
    await runner.query(
      `CREATE TABLE messaging_idempotency_keys (
         scope bytea PRIMARY KEY,
         fingerprint bytea NOT NULL,
         owner uuid NOT NULL,
         locked_until timestamptz NOT NULL,
         status integer,
         headers json,
         body bytea,
         created_at timestamptz NOT NULL DEFAULT now()
       ) WITH (autovacuum_vacuum_scale_factor = 0.05)`,
    );
    await runner.query('CREATE INDEX messaging_idempotency_keys_created_at ON messaging_idempotency_keys (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE messaging_idempotency_keys');
  }
}
