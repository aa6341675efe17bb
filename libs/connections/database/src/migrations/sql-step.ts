import { QueryFailedError, type QueryRunner } from 'typeorm';
import { MigrationFailedError, MigrationFilesError } from './errors.js';
import type { MigrationStep } from './migration.js';
import { lineOf, type Statement, statementsOf } from './sql-script.js';

/** First line of a file that must not run in a transaction, e.g. for CREATE INDEX CONCURRENTLY. */
const withoutTransaction = /^\s*--\s*core-infra:\s*no-transaction\s*$/m;

/** A transaction of the file's own would end ours, and leave the record outside of it. */
const transactionControl = /^(begin|commit|end|rollback|abort|start\s+transaction)\b(?!\s+(to|prepared)\b)/i;

/** What the server's report of a failed statement holds. */
interface ServerError {
  readonly message: string;
  readonly position?: string;
  readonly detail?: string;
  readonly hint?: string;
}

/**
 * A file of SQL as a step.
 * @throws MigrationFilesError when it begins or ends transactions by itself
 */
export function sqlStep(file: string, script: string, direction: 'up' | 'down'): MigrationStep {
  const [firstLine = ''] = script.split('\n', 1);
  const transactional = !withoutTransaction.test(firstLine);
  const statements = statementsOf(script);
  const control =
    transactional && statements.length > 1 && statements.find(({ text }) => transactionControl.test(text));
  if (control) {
    throw new MigrationFilesError(
      `${file}:${lineOf(script, control.offset)}: a migration runs in a transaction already, and begins or ends one itself.`,
      'Remove BEGIN and COMMIT, or make `-- core-infra: no-transaction` the first line of the file.',
    );
  }
  return {
    transactional,
    run: async runner => {
      for (const statement of statements) await runStatement(runner, file, script, statement, direction);
    },
  };
}

async function runStatement(
  runner: QueryRunner,
  file: string,
  script: string,
  { text, offset }: Statement,
  direction: 'up' | 'down',
): Promise<void> {
  try {
    await runner.query(text);
  } catch (error) {
    const report = (error instanceof QueryFailedError ? error.driverError : error) as ServerError;
    // The server counts characters, JavaScript UTF-16 units.
    const inside = report.position ? [...text].slice(0, Number(report.position) - 1).join('').length : 0;
    const line = lineOf(script, offset + inside);
    const reason = [report.message, report.detail].filter(Boolean).join('. ').replace(/\.$/, '');
    throw new MigrationFailedError(`${file}:${line}`, direction, reason, report.hint, { cause: error });
  }
}
