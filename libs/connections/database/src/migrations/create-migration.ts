import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MigrationFilesError } from './errors.js';

/**
 * Writes an empty migration and its way back, named by the time: `20260131094500_add_orders.up.sql`.
 * @returns the paths of both files
 * @throws MigrationFilesError for a name that makes no file name
 */
export async function createMigration(directory: string, title: string, now: Date = new Date()): Promise<string[]> {
  const slug = title
    .trim()
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '_')
    .replace(/^_+|_+$/g, '');
  if (slug === '')
    throw new MigrationFilesError(`"${title}" makes no name for a migration.`, 'Say what it does, e.g. add_orders.');
  const stamp = now.toISOString().replace(/\D/g, '').slice(0, 14);
  await mkdir(directory, { recursive: true });
  const write = async (direction: 'up' | 'down', text: string) => {
    const path = join(directory, `${stamp}_${slug}.${direction}.sql`);
    await writeFile(path, text, { flag: 'wx' });
    return path;
  };
  return [await write('up', `-- ${title}\n`), await write('down', `-- Takes back: ${title}\n`)];
}
