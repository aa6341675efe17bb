import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { MigrationFilesError } from './errors.js';
import type { Migration } from './migration.js';
import { sqlStep } from './sql-step.js';

const fileName = /^(.+)\.(up|down)\.sql$/;

/**
 * Migrations of a folder, sorted by name. One that does not exist has none, if `optional`.
 * @throws MigrationFilesError for a `.sql` file by another name, a way back without a way, or no folder
 */
export async function readMigrations(directory: string, optional: boolean): Promise<Migration[]> {
  const folder = resolve(directory);
  const byName = new Map<string, { up?: string; down?: string }>();
  for (const entry of await list(folder, optional)) {
    if (!entry.endsWith('.sql')) continue;
    const [, name, direction] = fileName.exec(entry) ?? [];
    if (name === undefined) {
      throw new MigrationFilesError(
        `${show(folder, entry)} is neither <name>.up.sql nor <name>.down.sql.`,
        'Rename it, or move it elsewhere.',
      );
    }
    byName.set(name, { ...byName.get(name), [direction as 'up' | 'down']: entry });
  }
  const names = [...byName.keys()].sort(byCodeUnits);
  return Promise.all(names.map(name => readMigration(folder, name, byName.get(name)!)));
}

async function list(folder: string, optional: boolean): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (optional && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new MigrationFilesError(
      `The folder of migrations cannot be read: ${(error as Error).message}.`,
      'Correct database.migrations.directory, or its permissions.',
      { cause: error },
    );
  }
}

/** The file that a migration of the folder goes up by, whether or not it is there. */
export function fileOf(directory: string, name: string): string {
  return show(resolve(directory), `${name}.up.sql`);
}

async function readMigration(folder: string, name: string, files: { up?: string; down?: string }): Promise<Migration> {
  if (!files.up) {
    throw new MigrationFilesError(
      `${show(folder, files.down!)} is the way back of a migration that has no ${name}.up.sql.`,
      'Restore the file, or remove the other one as well.',
    );
  }
  const up = await readScript(join(folder, files.up));
  const down = files.down && (await readScript(join(folder, files.down)));
  return {
    name,
    place: show(folder, files.up),
    checksum: createHash('sha256').update(up).digest('hex'),
    up: sqlStep(show(folder, files.up), up, 'up'),
    ...(files.down && down !== undefined && { down: sqlStep(show(folder, files.down), down, 'down') }),
  };
}

/** Without the byte order mark and the line ends that editors and version control add. */
async function readScript(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
}

function show(folder: string, file: string): string {
  const shown = relative(process.cwd(), join(folder, file));
  return shown.startsWith('..') ? join(folder, file) : shown;
}

/** The same order on every machine, whatever its language. */
function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
