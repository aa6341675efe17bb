import type { MigrationInterface, QueryRunner } from 'typeorm';
import { MigrationFailedError, MigrationFilesError } from './errors.js';
import type { Migration, MigrationStep } from './migration.js';

const timestamp = /\d{13}$/;

/**
 * Migrations written as TypeORM classes, sorted by the timestamp that their names end in.
 * @throws MigrationFilesError for a name without one
 */
export function classMigrations(classes: readonly (new () => MigrationInterface)[]): Migration[] {
  const found = classes.map(Class => {
    const instance = new Class();
    const name = instance.name ?? Class.name;
    const at = timestamp.exec(name)?.[0];
    if (!at) {
      throw new MigrationFilesError(
        `The migration class ${name} has no timestamp at the end of its name.`,
        'Call it as TypeORM does, e.g. AddOrders1700000000000.',
      );
    }
    const step = (direction: 'up' | 'down'): MigrationStep => ({
      transactional: instance.transaction ?? true,
      run: (runner: QueryRunner) => call(instance, name, direction, runner),
    });
    return { at, migration: { name, place: name, checksum: undefined, up: step('up'), down: step('down') } };
  });
  return found.sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ migration }) => migration);
}

async function call(instance: MigrationInterface, name: string, direction: 'up' | 'down', runner: QueryRunner) {
  try {
    await instance[direction](runner);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MigrationFailedError(name, direction, reason, undefined, { cause: error });
  }
}
