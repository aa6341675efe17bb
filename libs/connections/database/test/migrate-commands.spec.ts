import { readdir } from 'node:fs/promises';
import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import type { CliContext } from '@core-infra/kernel';
import { DatabaseModule, DataSource } from '@core-infra/database';
import { commands } from '@core-infra/database/cli';
import { usePostgres } from '@core-infra/testing';
import { migrationFolder } from './fixtures/migration-folder.js';

interface Ran {
  code: number | void;
  rows: readonly Record<string, unknown>[];
  notes: string[];
}

async function run(usage: string, options: CliContext['options'], args = {}, AppModule?: unknown): Promise<Ran> {
  const ran: Ran = { code: undefined, rows: [], notes: [] };
  const command = commands.find(candidate => candidate.usage.startsWith(usage))!;
  const boot = () => NestFactory.createApplicationContext(AppModule as never, { logger: false, abortOnError: false });
  const inspect = async () => {
    const app = await NestFactory.createApplicationContext(AppModule as never, { logger: false, preview: true });
    return app.get(ModulesContainer);
  };
  ran.code = await command.run({
    args,
    options,
    signal: new AbortController().signal,
    app: { boot, inspect },
    output: {
      rows: rows => void (ran.rows = rows),
      text: () => undefined,
      json: () => undefined,
      note: text => void ran.notes.push(text),
    },
  });
  return ran;
}

const files = { '001_users.up.sql': 'CREATE TABLE users (id int)', '001_users.down.sql': 'DROP TABLE users' };

describe('core-infra migrate', () => {
  const server = usePostgres();

  it('goes up and down by --url, and status fails with 2 naming the file', async () => {
    await using folder = await migrationFolder(files);
    const where = { url: await server.createDatabase(), directory: folder.path };
    expect(await run('migrate status', where)).toMatchObject({
      code: 0,
      rows: [{ name: '001_users', state: 'pending' }],
    });
    expect((await run('migrate up', where)).rows).toMatchObject([{ name: '001_users' }]);
    expect(await run('migrate status', where)).toMatchObject({ code: 0, rows: [{ state: 'applied' }] });
    await folder.write({ '001_users.up.sql': 'CREATE TABLE users (id bigint)', '000_late.up.sql': 'SELECT 1' });
    expect(await run('migrate status', where)).toMatchObject({
      code: 2,
      notes: [
        expect.stringMatching(/000_late\.up\.sql is out-of-order/),
        expect.stringMatching(/001_users\.up\.sql is edited/),
      ],
    });
    await folder.write(files);
    expect(await run('migrate down', where, { count: '1' })).toMatchObject({
      rows: [{ name: '001_users' }],
      notes: [expect.stringContaining('Took back 001_users')],
    });
    await expect(run('migrate down', where, { count: 'x' })).rejects.toMatchObject({ code: 'INFRA_MIGRATION_COMMAND' });
  });

  it("uses the app's configuration without starting the app, nor migrating at boot", async () => {
    await using folder = await migrationFolder(files);
    const url = await server.createDatabase();
    let started = false;
    @Injectable()
    class NeedsTheTable implements OnModuleInit {
      constructor(private readonly dataSource: DataSource) {}
      async onModuleInit(): Promise<void> {
        started = true;
        await this.dataSource.query('SELECT * FROM users');
      }
    }
    const migrations = { directory: folder.path, atBoot: true };
    @Module({
      imports: [
        DatabaseModule.forRoot({ url, migrations }),
        DatabaseModule.forRoot({ name: 'other', url: 'postgres://nobody@127.0.0.1:1/nowhere' }),
      ],
      providers: [NeedsTheTable],
    })
    class AppModule {}
    expect((await run('migrate status', {}, {}, AppModule)).rows).toMatchObject([{ state: 'pending' }]);
    expect((await run('migrate up', {}, {}, AppModule)).rows).toMatchObject([{ name: '001_users' }]);
    expect((await run('migrate status', {}, {}, AppModule)).rows).toMatchObject([{ state: 'applied' }]);
    expect(started).toBe(false);
    await expect(run('migrate up', { connection: 'nowhere' }, {}, AppModule)).rejects.toThrow(
      'no database connection "nowhere"',
    );
  });

  it('creates files', async () => {
    await using folder = await migrationFolder();
    const { rows } = await run('migrate create', { directory: folder.path }, { name: 'Add orders!' });
    const names = await readdir(folder.path);
    expect(names.sort()).toEqual([
      expect.stringMatching(/^\d{14}_add_orders\.down\.sql$/),
      expect.stringMatching(/^\d{14}_add_orders\.up\.sql$/),
    ]);
    expect(rows).toHaveLength(2);
  });
});
