import {
  AppInfo,
  type CliCommand,
  type CliContext,
  connectionToken,
  ErrorSpec,
  InfraError,
  resolveConfig,
} from '@core-infra/kernel';
import { DatabaseConfig } from '../config/database.config.js';
import { TlsChoice } from '../drivers/tls-choice.js';
import { createMigration } from './create-migration.js';
import { isMigrationCommandDone, migrationScope } from './migration-scope.js';
import type { MigrationDone, Migrator } from './migrator.js';
import { openMigrator } from './open-migrator.js';

/** Exit code of `status` when files and history disagree. */
const disagreement = 2;

@ErrorSpec({ code: 'INFRA_MIGRATION_COMMAND', summary: 'A migrate command was given something that it cannot use.' })
export class MigrationCommandError extends InfraError {}

const where = [
  ['--connection <name>', 'name of the database connection, when it is not the default one'],
  ['--url <dsn>', 'migrate this database, without an app'],
  ['--directory <path>', 'folder of the migrations, with --url (default: migrations)'],
  ['--table <name>', 'table that records them, with --url (default: core_infra_migrations)'],
] as const;

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

export const commands: readonly CliCommand[] = [
  {
    usage: 'migrate up',
    summary: 'Apply pending migrations, one process at a time',
    options: [...where, ['--allow-out-of-order', 'also apply those that come before one that is applied already']],
    examples: ['core-infra --app dist/app.module.js migrate up', 'core-infra migrate up --url "$DATABASE_URL"'],
    run: context =>
      withMigrator(context, async migrator => {
        const allowOutOfOrder = context.options.allowOutOfOrder === true;
        report(context, await migrator.up({ allowOutOfOrder, signal: context.signal }), 'Nothing to migrate.');
      }),
  },
  {
    usage: 'migrate down [count]',
    summary: 'Take back the last applied migration, or the last <count>',
    options: where,
    examples: ['core-infra --app dist/app.module.js migrate down 2'],
    run: context =>
      withMigrator(context, async migrator => {
        report(context, await migrator.down(countOf(context), context.signal), 'Nothing to take back.');
      }),
  },
  {
    usage: 'migrate status',
    summary: `List migrations; exits with ${disagreement} when one is edited, missing or out of order`,
    options: where,
    examples: ['core-infra --app dist/app.module.js migrate status --json'],
    run: context =>
      withMigrator(context, async migrator => {
        const statuses = await migrator.status();
        context.output.rows(
          statuses.map(({ name, state, place, appliedAt }) => ({
            name,
            state,
            appliedAt: appliedAt?.toISOString() ?? '',
            place,
          })),
          { empty: 'There are no migrations.' },
        );
        const faults = statuses.filter(({ state }) => ['edited', 'missing', 'out-of-order'].includes(state));
        for (const { place, state } of faults) context.output.note(`${place} is ${state}`);
        return faults.length > 0 ? disagreement : 0;
      }),
  },
  {
    usage: 'migrate create <name>',
    summary: 'Write an empty <time>_<name>.up.sql and .down.sql',
    options: [['--directory <path>', 'folder of the migrations (default: migrations)']],
    examples: ['core-infra migrate create add_orders'],
    run: async ({ args, options, output }) => {
      const files = await createMigration(text(options.directory) ?? 'migrations', text(args.name) ?? '');
      output.rows(files.map(file => ({ file })));
    },
  },
];

function report({ output }: CliContext, done: readonly MigrationDone[], empty: string): void {
  output.rows(
    done.map(({ name, durationMs }) => ({ name, durationMs })),
    { empty },
  );
}

function countOf({ args }: CliContext): number {
  const count = args.count === undefined ? 1 : Number(args.count);
  if (Number.isInteger(count) && count > 0) return count;
  throw new MigrationCommandError(`"${String(args.count)}" is no number of migrations.`, 'Give an integer from 1.');
}

/** By `--url`, or by the configuration of the app, which is booted no further than its database's configuration. */
async function withMigrator(
  context: CliContext,
  work: (migrator: Migrator) => Promise<number | void>,
): Promise<number | void> {
  const url = text(context.options.url);
  if (url !== undefined) return work(standalone(context, url));
  const connection = text(context.options.connection) ?? 'default';
  await assertRegistered(context, connection);
  let result: Promise<number | void> | undefined;
  const scope = {
    connection,
    found: async (migrator: Migrator) => {
      result = work(migrator);
      await result;
    },
  };
  try {
    await migrationScope.run(scope, () => context.app.boot());
  } catch (error) {
    if (!result) throw error;
    // Whatever became of the rest of the app, the command's own outcome is what counts.
    const outcome = await result;
    if (!isMigrationCommandDone(error)) context.output.note(`The app itself: ${String(error)}`);
    return outcome;
  }
  return undefined;
}

async function assertRegistered({ app }: CliContext, connection: string): Promise<void> {
  const modules = await app.inspect();
  const token = connectionToken('database', connection);
  if ([...modules.values()].some(module => module.providers.has(token))) return;
  throw new MigrationCommandError(
    `The app registers no database connection "${connection}".`,
    'Import DatabaseModule in it, or name another one with --connection.',
  );
}

function standalone({ options, output }: CliContext, url: string): Migrator {
  const migrations = { directory: text(options.directory), table: text(options.table) };
  const config = resolveConfig({ section: 'database', Config: DatabaseConfig, given: { url, migrations } });
  const note = (message: unknown) => output.note(String(message));
  const app = { ...AppInfo.unknown, name: 'core-infra migrate' };
  return openMigrator(config, app, new TlsChoice(config), { log: note, warn: note, debug: () => undefined });
}
