import type { QueryRunner } from 'typeorm';

/** A step of the schema, and the way back. */
export interface Migration {
  readonly name: string;
  /** Path of the file that goes up, or the name of the class. */
  readonly place: string;
  /** SHA-256 of what goes up; none for a class, whose text depends on the compiler. */
  readonly checksum: string | undefined;
  readonly up: MigrationStep;
  readonly down?: MigrationStep;
}

export interface MigrationStep {
  /** Whether it runs in a transaction, together with its record. */
  readonly transactional: boolean;
  /** @throws MigrationFailedError naming file and line */
  run(runner: QueryRunner): Promise<void>;
}
