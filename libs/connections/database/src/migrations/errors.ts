import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_MIGRATION_FAILED',
  summary: 'A migration failed; what its transaction held was rolled back.',
})
export class MigrationFailedError extends InfraError {
  constructor(
    /** File and line, or the name of a class. */
    readonly place: string,
    readonly direction: 'up' | 'down',
    reason: string,
    hint: string | undefined,
    options?: ErrorOptions,
  ) {
    super(
      `${place}: migrating ${direction} failed: ${reason}.`,
      `${hint ? `${hint}. ` : ''}Correct it and run it again; earlier migrations stay applied.`,
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_MIGRATION_HISTORY',
  summary: 'Migrations and what the database has recorded of them disagree.',
})
export class MigrationHistoryError extends InfraError {
  constructor(
    readonly names: readonly string[],
    problem: string,
    fix: string,
  ) {
    super(problem, fix);
  }
}

@ErrorSpec({
  code: 'INFRA_MIGRATION_FILES',
  summary: 'The folder of migrations cannot be read, or a file in it makes no sense.',
})
export class MigrationFilesError extends InfraError {}

@ErrorSpec({
  code: 'INFRA_MIGRATION_LOCKED',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'Another process was migrating for longer than migrations.lockTimeoutMs.',
})
export class MigrationLockedError extends InfraError {
  constructor(
    readonly lockTimeoutMs: number,
    readonly holder: string,
  ) {
    super(
      `Another process has been migrating for longer than ${lockTimeoutMs} ms: ${holder}.`,
      'Wait for it or end it, or raise database.migrations.lockTimeoutMs.',
    );
  }
}
