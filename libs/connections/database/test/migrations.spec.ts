import { resolve } from 'node:path';
import { DatabaseModule, DataSource, type DatabaseOptions, migratorOf } from '@core-infra/database';
import {
  bootInfra,
  eventually,
  type InfraApp,
  runChild,
  uniqueName,
  usePostgres,
  useTcpProxy,
} from '@core-infra/testing';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { migrationFolder } from './fixtures/migration-folder.js';

const first = {
  '001_users.up.sql': 'CREATE TABLE users (id int PRIMARY KEY);',
  '001_users.down.sql': 'DROP TABLE users;',
};
const second = {
  '002_emails.up.sql': `ALTER TABLE users ADD email text DEFAULT 'a;b'; -- a semicolon; here\nCREATE INDEX users_email ON users (email);`,
  '002_emails.down.sql': 'ALTER TABLE users DROP email;',
};

class AddNotes1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE notes (id int)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('notes');
  }
}

describe('migrations', () => {
  const server = usePostgres();
  const proxy = useTcpProxy(() => server.url);

  async function boot(options: DatabaseOptions): Promise<InfraApp & { ds: DataSource }> {
    const app = await bootInfra(DatabaseModule.forRoot({ url: await server.createDatabase(), ...options }));
    return Object.assign(app, { ds: app.get(DataSource) });
  }
  const tables = async (ds: DataSource) =>
    (
      await ds.query<{ t: string }[]>(`SELECT tablename AS t FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
    ).map(({ t }) => t);

  it('goes up, once, and down again, and says where it stands', async () => {
    await using folder = await migrationFolder({ ...first, ...second });
    await using app = await boot({ migrations: { directory: folder.path, classes: [AddNotes1700000000000] } });
    const migrator = migratorOf(app.ds);
    const states = async () => (await migrator.status()).map(({ name, state }) => `${name} ${state}`);
    expect(await states()).toEqual(['001_users pending', '002_emails pending', 'AddNotes1700000000000 pending']);
    expect((await migrator.up()).map(({ name }) => name)).toEqual(['001_users', '002_emails', 'AddNotes1700000000000']);
    expect(await migrator.up()).toEqual([]);
    expect(await tables(app.ds)).toEqual(['core_infra_migrations', 'notes', 'users']);
    expect((await migrator.down(2)).map(({ name }) => name)).toEqual(['AddNotes1700000000000', '002_emails']);
    expect(await states()).toEqual(['001_users applied', '002_emails pending', 'AddNotes1700000000000 pending']);
    await migrator.down();
    expect(await tables(app.ds)).toEqual(['core_infra_migrations']);
  });

  it('applies a file that was written after the classes of a package had been applied', async () => {
    await using folder = await migrationFolder(first);
    await using app = await boot({ migrations: { directory: folder.path, classes: [AddNotes1700000000000] } });
    const migrator = migratorOf(app.ds);
    await migrator.up();
    await folder.write(second);
    expect((await migrator.up()).map(({ name }) => name)).toEqual(['002_emails']);
    await folder.write({ '000_late.up.sql': 'SELECT 1' });
    await expect(migrator.up()).rejects.toThrow('000_late.up.sql');
  });

  it('ten processes that start together run each migration once', async () => {
    const ten = Array.from({ length: 6 }, (_, n): [string, string] => [
      `00${n}_step.up.sql`,
      n === 0
        ? 'CREATE TABLE steps (n int, pid int);'
        : `SELECT pg_sleep(0.05); INSERT INTO steps VALUES (${n}, pg_backend_pid());`,
    ]);
    await using folder = await migrationFolder(Object.fromEntries(ten));
    const url = await server.createDatabase();
    const program = resolve(__dirname, 'fixtures/migrating-app.main.ts');
    const children = Array.from({ length: 10 }, () => runChild(program, { args: [url, folder.path] }));
    const exits = await Promise.all(children.map(async child => ({ ...(await child.exit), lines: child.lines })));
    expect(exits.map(({ code, lines }) => ({ code, lines }))).toEqual(
      children.map(() => ({ code: 0, lines: ['booted'] })),
    );
    await using app = await boot({ url, migrations: { directory: folder.path } });
    expect(await app.ds.query('SELECT n FROM steps ORDER BY n')).toEqual([1, 2, 3, 4, 5].map(n => ({ n })));
  }, 120_000);

  it('applies each in a transaction: a failed one leaves nothing, and its file and line are named', async () => {
    await using folder = await migrationFolder({
      ...first,
      '002_broken.up.sql': `CREATE TABLE half (id int);\n\n-- text\nALTER TABLE users\n  ADD COLUMN x nonsense;\n`,
    });
    await using app = await boot({ migrations: { directory: folder.path } });
    await expect(migratorOf(app.ds).up()).rejects.toMatchObject({
      code: 'INFRA_MIGRATION_FAILED',
      place: expect.stringMatching(/002_broken\.up\.sql:5$/),
      message: expect.stringContaining('type "nonsense" does not exist'),
    });
    expect(await tables(app.ds)).toEqual(['core_infra_migrations', 'users']);
    await folder.write({ '002_broken.up.sql': `CREATE TABLE t (i int);\nINSERT INTO t\n  VALUES (1/0);` });
    await expect(migratorOf(app.ds).up()).rejects.toMatchObject({
      place: expect.stringMatching(/002_broken\.up\.sql:2$/),
      message: expect.stringContaining('division by zero'),
    });
    await folder.write({ '002_broken.up.sql': 'BEGIN;\nCREATE TABLE t (i int);\nCOMMIT;' });
    await expect(migratorOf(app.ds).up()).rejects.toMatchObject({ code: 'INFRA_MIGRATION_FILES' });
    expect(await tables(app.ds)).toEqual(['core_infra_migrations', 'users']);
  });

  it('runs a file without a transaction where its first line says so, while others wait for the lock', async () => {
    await using folder = await migrationFolder({
      ...first,
      '002_index.up.sql': '-- core-infra: no-transaction\nCREATE INDEX CONCURRENTLY i ON users (id);\nVACUUM users;',
    });
    await using app = await boot({ migrations: { directory: folder.path } });
    // A waiting statement of the others would block the building of the index for ever.
    const done = await Promise.all(Array.from({ length: 4 }, () => migratorOf(app.ds).up()));
    expect(done.flat().map(({ name }) => name)).toEqual(['001_users', '002_index']);
    expect(await app.ds.query(`SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass`)).toEqual([
      { indisvalid: true },
    ]);
  });

  it('finds what was edited, is missing, or comes too late', async () => {
    await using folder = await migrationFolder({ ...first, ...second });
    await using app = await boot({ migrations: { directory: folder.path } });
    const migrator = migratorOf(app.ds);
    await migrator.up();
    const faults = async () =>
      (await migrator.status()).filter(({ state }) => state !== 'applied').map(({ name, state }) => `${name} ${state}`);

    await folder.write({ '001_users.up.sql': first['001_users.up.sql'].replaceAll('\n', '\r\n') });
    expect(await faults()).toEqual([]);
    await folder.write({ '001_users.up.sql': 'CREATE TABLE users (id bigint PRIMARY KEY);' });
    expect(await faults()).toEqual(['001_users edited']);
    await expect(migrator.up()).rejects.toMatchObject({ code: 'INFRA_MIGRATION_HISTORY' });

    await folder.write({ ...first, '000_late.up.sql': 'SELECT 1', '000_late.down.sql': 'SELECT 1' });
    expect(await faults()).toEqual(['000_late out-of-order']);
    await expect(migrator.up()).rejects.toThrow('000_late.up.sql');
    await migrator.up({ allowOutOfOrder: true });
    expect(await faults()).toEqual([]);

    await folder.remove('002_emails.up.sql');
    await folder.remove('002_emails.down.sql');
    expect(await faults()).toEqual(['002_emails missing']);
    expect(await migrator.up()).toEqual([]);
    await expect(migrator.down(3)).rejects.toThrow('002_emails is applied and its files are missing');
    await folder.write({ 'notes.sql': 'x' });
    await expect(migrator.status()).rejects.toThrow('notes.sql is neither');
  });

  it('migrates at boot, before anything else can use the database, by a role of its own', async () => {
    await using folder = await migrationFolder(first);
    const url = await server.createDatabase();
    const role = uniqueName('migrator');
    const app = uniqueName('app');
    await using admin = await boot({ url });
    await admin.ds.query(`CREATE ROLE ${role} LOGIN PASSWORD 'm'; CREATE ROLE ${app} LOGIN PASSWORD 'a'`);
    await admin.ds.query(`GRANT CREATE ON SCHEMA public TO ${role}; GRANT USAGE ON SCHEMA public TO ${app}`);
    try {
      const migrations = { directory: folder.path, atBoot: true };
      await expect(boot(asRole(url, app, 'a', { migrations }))).rejects.toThrow('permission denied');
      await using booted = await boot(
        asRole(url, app, 'a', { migrations: { ...migrations, user: role, password: 'm' } }),
      );
      expect(await booted.ds.query(`SELECT tableowner AS o FROM pg_tables WHERE tablename = 'users'`)).toEqual([
        { o: role },
      ]);
    } finally {
      await admin.ds.query(`DROP OWNED BY ${role}, ${app}; DROP ROLE ${role}, ${app}`);
    }
  });

  it('no statement timeout ends a migration, nor one that the role has; the lock timeout does', async () => {
    await using folder = await migrationFolder({
      '001_long.up.sql': 'SELECT pg_sleep(0.3); CREATE TABLE users (id int)',
    });
    const url = await server.createDatabase();
    const role = uniqueName('hasty');
    await using admin = await boot({ url });
    await admin.ds.query(`CREATE ROLE ${role} LOGIN PASSWORD 'h'; GRANT CREATE ON SCHEMA public TO ${role}`);
    await admin.ds.query(`ALTER ROLE ${role} SET statement_timeout = '50ms'`);
    try {
      const options = {
        statementTimeoutMs: 50,
        lockTimeoutMs: 100,
        migrations: { directory: folder.path, atBoot: true },
      };
      await using booted = await boot(asRole(url, role, 'h', options));
      expect(await tables(booted.ds)).toContain('users');
      await booted.ds.transaction(async manager => {
        await manager.query('LOCK TABLE users');
        await folder.write({ '002_waits.up.sql': 'ALTER TABLE users ADD x int' });
        await expect(migratorOf(booted.ds).up()).rejects.toMatchObject({
          place: expect.stringMatching(/002_waits\.up\.sql:1$/),
          message: expect.stringContaining('lock timeout'),
        });
      });
    } finally {
      await admin.ds.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('in the background: boots without the server, and migrates when it comes, before it counts as open', async () => {
    await using folder = await migrationFolder(first);
    await proxy.cut();
    await using app = await bootInfra(
      DatabaseModule.forRoot({
        url: proxy.url,
        startup: 'background',
        connectTimeoutMs: 100,
        migrations: { directory: folder.path, atBoot: true },
      }),
    );
    await proxy.start();
    const ds = app.get(DataSource);
    await eventually(async () => expect(ds.isInitialized).toBe(true));
    expect(await tables(ds)).toEqual(['core_infra_migrations', 'users']);
  });

  it('gives up when another process migrates for too long, and says which', async () => {
    await using folder = await migrationFolder({ '001_slow.up.sql': 'SELECT pg_advisory_xact_lock(42)' });
    const url = await server.createDatabase();
    await using slow = await boot({ url, applicationName: 'the-slow-one', migrations: { directory: folder.path } });
    await using hasty = await boot({ url, migrations: { directory: folder.path, lockTimeoutMs: 50 } });
    const holder = hasty.ds.createQueryRunner();
    await holder.query('SELECT pg_advisory_lock(42)');
    const running = migratorOf(slow.ds).up();
    await eventually(async () =>
      expect(await holder.query(`SELECT 1 FROM pg_locks WHERE objid = 42 AND NOT granted`)).toHaveLength(1),
    );
    await expect(migratorOf(hasty.ds).up()).rejects.toMatchObject({
      code: 'INFRA_MIGRATION_LOCKED',
      holder: expect.stringContaining('the-slow-one'),
    });
    await holder.query('SELECT pg_advisory_unlock(42)');
    await holder.release();
    await running;
  });
});

function asRole(url: string, user: string, password: string, more: DatabaseOptions): DatabaseOptions {
  const at = new URL(url);
  at.username = user;
  at.password = password;
  return { ...more, url: at.href };
}
