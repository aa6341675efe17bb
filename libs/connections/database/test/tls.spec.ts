import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseModule, DataSource, type DatabaseOptions } from '@core-infra/database';
import {
  bootInfra,
  type Certificate,
  certificateAuthority,
  eventually,
  usePostgres,
  usePostgresServer,
} from '@core-infra/testing';
import { Client } from 'pg';
import { specContext, SpecContextModule } from './fixtures/spec-context.js';

const ours = certificateAuthority('Spec authority');
const theirs = certificateAuthority('Another authority');

/** Whether the connection is encrypted, or why there is none. */
async function reach(options: DatabaseOptions): Promise<boolean | string> {
  try {
    await using app = await bootInfra(DatabaseModule.forRoot({ connectTimeoutMs: 5_000, ...options }));
    const [row] = await app
      .get(DataSource)
      .query<{ ssl: boolean }[]>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    return row!.ssl;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('sslMode with a server that has TLS', () => {
  const server = usePostgresServer();
  let folder: string;
  let at: (host: string) => string;

  /** Written by the server itself, as the account it runs under, since it reads no key that others may read. */
  async function serve({ cert, key }: Certificate, more = ''): Promise<void> {
    const client = new Client({ connectionString: server.url, ssl: false });
    await client.connect();
    try {
      const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
      const write = (file: string, text: string) =>
        client.query(
          `COPY (SELECT unnest(string_to_array(${client.escapeLiteral(text.trim())}, E'\\n'))) TO PROGRAM ${client.escapeLiteral(
            `cat > '${join(rows[0]!.data_directory, file)}' && chmod 600 '${join(rows[0]!.data_directory, file)}'`,
          )}`,
        );
      await write('spec.crt', cert);
      await write('spec.key', key);
      await write('spec-ca.crt', ours.cert);
      for (const setting of [
        `ssl_cert_file = 'spec.crt'`,
        `ssl_key_file = 'spec.key'`,
        `ssl_ca_file = 'spec-ca.crt'`,
        'ssl = on',
      ])
        await client.query(`ALTER SYSTEM SET ${setting}`);
      if (more) await client.query(more);
    } finally {
      await client.end();
    }
    await server.restart();
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tls-'));
    await writeFile(join(folder, 'ca.pem'), ours.cert);
    await serve(ours.issue('localhost', ['localhost']));
    at = host => {
      const url = new URL(server.url);
      url.hostname = host;
      return url.href;
    };
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true }));

  it('disable speaks plainly, prefer and require encrypt without verifying', async () => {
    expect(await reach({ url: at('127.0.0.1'), sslMode: 'disable' })).toBe(false);
    expect(await reach({ url: at('127.0.0.1'), sslMode: 'prefer' })).toBe(true);
    expect(await reach({ url: at('127.0.0.1') })).toBe(true);
    expect(await reach({ url: at('127.0.0.1'), sslMode: 'require' })).toBe(true);
    expect(await reach({ url: `${at('127.0.0.1')}?sslmode=require` })).toBe(true);
  });

  it('require with an authority verifies it, as verify-ca does; neither looks at the name', async () => {
    for (const sslMode of ['require', 'verify-ca'] as const) {
      expect(await reach({ url: at('127.0.0.1'), sslMode, sslCa: ours.cert })).toBe(true);
      expect(await reach({ url: at('127.0.0.1'), sslMode, sslCa: theirs.cert })).toMatch(/certificate|self-signed/);
    }
    expect(await reach({ url: at('127.0.0.1'), sslMode: 'verify-ca' })).toContain('database.sslCa');
  });

  it('verify-full also wants the name, with the authority from a file or as text', async () => {
    expect(await reach({ url: at('localhost'), sslMode: 'verify-full', sslCa: join(folder, 'ca.pem') })).toBe(true);
    expect(await reach({ url: `${at('localhost')}?sslmode=verify-full&sslrootcert=${join(folder, 'ca.pem')}` })).toBe(
      true,
    );
    expect(await reach({ url: at('127.0.0.1'), sslMode: 'verify-full', sslCa: ours.cert })).toMatch(
      /altnames|127\.0\.0\.1/,
    );
    expect(await reach({ url: at('localhost'), sslMode: 'verify-full' })).toMatch(/certificate/);
    expect(await reach({ url: at('localhost'), sslMode: 'verify-full', sslCa: '/nowhere/ca.pem' })).toMatch(
      /"\/nowhere\/ca\.pem" that database\.sslCa names cannot be read \(ENOENT\)/,
    );
  });

  it('cancels by an encrypted connection too', async () => {
    const options = {
      url: at('localhost'),
      sslMode: 'verify-full',
      sslCa: ours.cert,
      applicationName: 'to-cancel',
    } as const;
    await using app = await bootInfra(SpecContextModule, DatabaseModule.forRoot(options));
    const ds = app.get(DataSource);
    const hangUp = new AbortController();
    const query = specContext.run({ signal: hangUp.signal }, () =>
      ds.query('SELECT pg_sleep(60)').catch((error: unknown) => error),
    );
    const running = () =>
      ds.query(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'to-cancel' AND query LIKE '%sleep(60)'`);
    await eventually(async () => expect(await running()).toHaveLength(1));
    hangUp.abort();
    expect(await query).toMatchObject({
      code: 'INFRA_DATABASE_CANCELLED',
      cause: expect.objectContaining({ code: '57014' }),
    });
  });

  it('binds the login to the channel, and refuses one that is not where that is required', async () => {
    const admin = new Client({ connectionString: server.url, ssl: false });
    await admin.connect();
    await admin.query(`SET password_encryption = 'scram-sha-256'`);
    await admin.query(`CREATE ROLE bound LOGIN PASSWORD 'b'`);
    await admin.end();
    const url = new URL(at('127.0.0.1'));
    url.username = 'bound';
    url.password = 'b';
    const required = { url: url.href, channelBinding: 'require' } as const;
    expect(await reach({ ...required, sslMode: 'require' })).toBe(true);
    expect(await reach({ ...required, sslMode: 'disable' })).toContain('not offer a login that is bound');
  });

  it('logs in by a client certificate', async () => {
    const { username } = new URL(server.url);
    const named = ours.issue(username);
    const files = { sslCert: named.cert, sslKey: named.key, sslMode: 'require' } as const;
    await using app = await bootInfra(DatabaseModule.forRoot({ url: at('127.0.0.1'), ...files }));
    expect(await app.get(DataSource).query('SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toEqual([
      { client_dn: `/CN=${username}` },
    ]);
    expect(await reach({ url: at('127.0.0.1'), sslMode: 'require', sslCert: named.cert })).toContain('database.sslKey');
  });
});

describe('sslMode with a server that has none', () => {
  const server = usePostgres();

  it('prefer goes on without, require does not', async () => {
    expect(await reach({ url: server.url, sslMode: 'prefer' })).toBe(false);
    expect(await reach({ url: server.url, sslMode: 'require' })).toContain('does not support SSL');
  });
});
