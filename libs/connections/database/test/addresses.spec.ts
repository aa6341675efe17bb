import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { DatabaseModule, DataSource, type DatabaseOptions } from '@core-infra/database';
import { bootInfra, eventually, RecordingLogger, uniqueName, usePostgres } from '@core-infra/testing';
import { specContext, SpecContextModule } from './fixtures/spec-context.js';

describe('a server by its address', () => {
  const server = usePostgres();
  const role = uniqueName('special');
  const password = `p@ss:/?#[]%& '"\\ü$`;
  let folder: string;
  let relays: Server[] = [];
  let port: number;

  /** Passes everything on to the server, from IPv6 or from a Unix socket. */
  const relay = (...at: [number, string] | [string]) =>
    new Promise<Server>((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      const listener = createServer(client => {
        const onward = connect(Number(port), hostname);
        client.pipe(onward).pipe(client);
        client.on('error', () => onward.destroy());
        onward.on('error', () => client.destroy());
      });
      listener.once('error', reject);
      listener.listen(...(at as [number, string]), () => resolve(listener));
      relays.push(listener);
    });

  beforeAll(async () => {
    await using admin = await bootInfra(DatabaseModule.forRoot({ url: server.url }));
    await admin.get(DataSource).query(`CREATE ROLE ${role} LOGIN PASSWORD '${password.replace("'", "''")}'`);
    folder = await mkdtemp(join(tmpdir(), 'socket-'));
    port = ((await relay(0, '::1')).address() as { port: number }).port;
    await relay(join(folder, `.s.PGSQL.${port}`));
  });
  afterAll(async () => {
    for (const listener of relays) listener.close();
    relays = [];
    await rm(folder, { recursive: true });
    await using admin = await bootInfra(DatabaseModule.forRoot({ url: server.adminUrl }));
    await admin.get(DataSource).query(`DROP ROLE ${role}`);
  });

  const database = () => new URL(server.url).pathname.slice(1);
  const quoted = (text: string) => text.replace(/[\\']/g, '\\$&');
  const dsn = (host: string) =>
    `postgresql://${role}:${encodeURIComponent(password)}@${host}:${port}/${database()}?sslmode=disable`;
  const ways: Record<string, () => DatabaseOptions> = {
    'IPv6, in a DSN': () => ({ url: dsn('[::1]') }),
    'IPv6, in fields': () => ({ host: '::1', port, user: role, password, database: database() }),
    'a Unix socket, in a DSN': () => ({ url: dsn(encodeURIComponent(folder)) }),
    'a Unix socket, in fields': () => ({ host: folder, port, user: role, password, database: database() }),
    'a Unix socket, in pairs': () => ({
      url: `host=${folder} port=${port} user=${role} password='${quoted(password)}' dbname=${database()}`,
    }),
  };

  it.each(Object.entries(ways))('%s, with a password of special characters', async (_, options) => {
    await using app = await bootInfra(
      SpecContextModule,
      DatabaseModule.forRoot({ ...options(), applicationName: role }),
    );
    const ds = app.get(DataSource);
    expect(await ds.query('SELECT current_user AS me')).toEqual([{ me: role }]);
    const caller = new AbortController();
    const query = specContext.run({ signal: caller.signal }, () =>
      ds.query('SELECT pg_sleep(60)').catch((error: unknown) => error),
    );
    const running = () =>
      ds.query(`SELECT 1 FROM pg_stat_activity WHERE usename = $1 AND query = 'SELECT pg_sleep(60)'`, [role]);
    await eventually(async () => expect(await running()).toHaveLength(1));
    caller.abort();
    // By the same way as the connection.
    expect(await query).toMatchObject({ cause: expect.objectContaining({ code: '57014' }) });
  });

  it.each([
    ['a wrong password', () => server.url.replace(/:[^:@/]+@/, ':hunter2@')],
    ['nobody there', () => 'postgres://u:hunter2@127.0.0.1:1/x'],
    ['no such host', () => 'postgres://u:hunter2@nowhere.invalid/x'],
    ['a DSN that is none', () => 'postgres://u:hunter2@h:99999/x'],
    ['a password that is not percent-encoded', () => 'postgres://u:hunter2#%@h/x'],
    ['an unknown parameter', () => 'postgres://u:p@h/x?foo=hunter2'],
    ['half of libpq’s notation', () => 'host=h password=hunter2 x'],
  ])('%s: neither the error nor the log holds the password', async (_, url) => {
    const logger = new RecordingLogger();
    Logger.overrideLogger(logger);
    try {
      for (const atBoot of [false, true]) {
        const boot = bootInfra(DatabaseModule.forRoot({ url: url(), connectTimeoutMs: 100, migrations: { atBoot } }));
        const error = await boot.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(Error);
        expect(inspect([error, logger.records], { depth: 20, showHidden: true })).not.toContain('hunter2');
      }
    } finally {
      Logger.overrideLogger(false);
    }
  });
});
