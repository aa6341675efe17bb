import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { usePostgres } from '@core-infra/testing';
import { type MigrationFolder, migrationFolder } from './fixtures/migration-folder.js';

const binary = resolve(__dirname, '../../../cli/bin/core-infra.cjs');
const app = resolve(__dirname, 'fixtures/migrated.app.ts');

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('the core-infra command on a real database', () => {
  const server = usePostgres();
  let folder: MigrationFolder;

  /** As typed in a shell, in a process of its own. */
  const migrate = (...args: string[]): Promise<Ran> =>
    new Promise(done => {
      const env = { ...process.env, SPEC_DATABASE: server.url, SPEC_MIGRATIONS: folder.path };
      execFile(process.execPath, [binary, '--app', app, 'migrate', ...args], { env }, (error, out, err) =>
        done({ code: Number(error?.code ?? 0), out, err }),
      );
    });
  const up = 'CREATE TABLE users (id int);';

  beforeAll(async () => {
    folder = await migrationFolder({ '001_users.up.sql': up, '001_users.down.sql': 'DROP TABLE users;' });
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  it('goes up and down, and prints what it did', async () => {
    expect(await migrate('status', '--json')).toMatchObject({ code: 0, out: expect.stringContaining('"pending"') });
    expect(await migrate('up')).toMatchObject({ code: 0, out: expect.stringContaining('001_users') });
    expect(await migrate('up')).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to migrate') });
    expect(await migrate('down')).toMatchObject({ code: 0, out: expect.stringContaining('001_users'), err: '' });
    expect(await migrate('status', '--json')).toMatchObject({ code: 0, out: expect.stringContaining('"pending"') });
    await migrate('up');
  });

  it.each([
    ['edited', { '001_users.up.sql': 'CREATE TABLE users (id bigint);' }, '001_users.up.sql is edited'],
    ['out of order', { '000_late.up.sql': 'SELECT 1;' }, '000_late.up.sql is out-of-order'],
  ])('status: %s is exit code 2 and the file by name', async (_, files, expected) => {
    await folder.write(files);
    expect(await migrate('status')).toMatchObject({ code: 2, err: expect.stringContaining(expected) });
    expect(await migrate('up')).toMatchObject({ code: 1, err: expect.stringContaining('INFRA_MIGRATION_HISTORY') });
    for (const file of Object.keys(files)) await folder.remove(file);
    await folder.write({ '001_users.up.sql': up });
    expect(await migrate('status')).toMatchObject({ code: 0 });
  });

  it('status: missing is exit code 2 and the file by name', async () => {
    await folder.remove('001_users.up.sql');
    await folder.remove('001_users.down.sql');
    expect(await migrate('status')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/001_users\.up\.sql is missing/),
    });
    await folder.write({ '001_users.up.sql': up });
  });

  it('a failing statement is exit code 1 and its file and line', async () => {
    await folder.write({ '002_bad.up.sql': 'SELECT 1;\n\nSELEKT 2;' });
    expect(await migrate('up')).toMatchObject({ code: 1, err: expect.stringMatching(/002_bad\.up\.sql:3: .*SELEKT/) });
    await folder.remove('002_bad.up.sql');
  });

  it('a folder that is not there is an error, and never "nothing to migrate"', async () => {
    const missing = ['--url', server.url, '--directory', '/nowhere/migrations'];
    expect(await migrate('up', ...missing)).toMatchObject({
      code: 1,
      err: expect.stringContaining('/nowhere/migrations'),
    });
  });
});
