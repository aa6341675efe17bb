import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigModule } from '@core-infra/config';
import { NatsClient, NatsModule, type NatsOptions } from '@core-infra/nats';
import { bootInfra, bootLogged, eventually, failure, useNatsServer } from '@core-infra/testing';
import { nkeys } from '@nats-io/transport-node';
import { operatorAndUser } from './fixtures/operator.js';

/** What a boot that requires the connection fails with, and how long that takes. */
async function told(options: NatsOptions): Promise<{ ms: number; text: string }> {
  const began = performance.now();
  const error = await failure(bootInfra(NatsModule.forRoot({ startup: 'require', ...options })));
  const ms = performance.now() - began;
  return { ms, text: `${error.message} ${(error.cause as Error | undefined)?.message ?? ''}` };
}
/** A stream and a message in it, by a connection with these settings. */
async function works(options: NatsOptions): Promise<number> {
  await using app = await bootInfra(NatsModule.forRoot({ startup: 'require', ...options }));
  const client = app.get(NatsClient);
  await client.topology({ streams: [{ name: 'proof', subjects: ['proof'] }] });
  return (await client.publish({ subject: 'proof', data: 'x' })).seq;
}

describe('settings that do not fit the server', () => {
  const server = useNatsServer({
    users: [
      { name: 'reader', password: 'p@ss/word', publish: ['$JS.API.>', 'open.>'], subscribe: ['_INBOX.>', 'open.>'] },
      { name: 'deaf', password: 'pw', subscribe: ['open.>'] },
    ],
  });
  const servers = () => [`${server.host}:${server.port}`];

  it('a wrong password, no login: which, the fix, within 5 s, and never the password', async () => {
    const wrong = await told({ servers: servers(), user: 'core', password: 'hunter2' });
    expect(wrong.text).toMatch(/refuses the login of core: the user or the password is wrong\. .*NATS_PASSWORD/);
    expect(wrong.text).not.toContain('hunter2');
    const none = await told({ servers: servers() });
    expect(none.text).toMatch(/refuses the login without any: it wants one/);
    expect(Math.max(wrong.ms, none.ms)).toBeLessThan(5_000);
  });

  it('a host where nobody listens', async () => {
    const { text, ms } = await told({ servers: ['127.0.0.1:1'], connectTimeoutMs: 1_000 });
    expect(text).toMatch(/nats at 127\.0\.0\.1:1 could not be opened: connection refused/);
    expect(ms).toBeLessThan(5_000);
  });

  it('what the account may not do: at once, and named', async () => {
    await using app = await bootInfra(
      NatsModule.forRoot({ startup: 'require', url: server.urlFor('reader', 'p@ss/word') }),
    );
    const client = app.get(NatsClient);
    await client.topology({ streams: [{ name: 'permitted', subjects: ['open.>', 'closed.>'] }] });
    await client.publish({ subject: 'open.a', data: 'x' });
    expect(await failure(client.publish({ subject: 'closed.a', data: 'x' }))).toMatchObject({
      code: 'INFRA_NATS_PERMISSION',
      operation: 'publish',
      subject: 'closed.a',
    });
    await using booted = await bootLogged(
      NatsModule.forRoot({ startup: 'require', url: server.urlFor('deaf', 'pw'), commandTimeoutMs: 500 }),
    );
    const deaf = booted.app.get(NatsClient);
    const error = await failure(deaf.publish({ subject: 'open.a', data: 'x' }, { timeoutMs: 1_000 }));
    expect(['INFRA_NATS_PERMISSION', 'INFRA_NATS_TIMEOUT']).toContain(error.code);
    expect(booted.logger.matching(/may not subscribe to _INBOX.*inboxPrefix/).length).toBeGreaterThan(0);
  });

  it('a background start says it once, and nothing of it holds the password', async () => {
    await using booted = await bootLogged(
      NatsModule.forRoot({ servers: servers(), user: 'core', password: 'hunter2', startup: 'background' }),
    );
    await eventually(() => expect(booted.logger.matching(/refuses the login of core/)).toHaveLength(1));
    expect(JSON.stringify(booted.logger.records)).not.toContain('hunter2');
    const client = booted.app.get(NatsClient);
    expect(client.isConnected).toBe(false);
    expect(await failure(client.request('x'))).toMatchObject({ code: 'INFRA_NATS_UNAVAILABLE', retryable: true });
    expect(() => client.connection).toThrow(/nats is away: NATS at .* refuses the login/);
  });

  it('the environment: NATS_URL with a list, and fields; two ways to log in are one too many', async () => {
    const from = (env: Record<string, string>) =>
      bootInfra(
        ConfigModule.forRoot({
          root: '/nowhere',
          env: { NATS_STARTUP: 'require', ...env },
          argv: [],
          watch: false,
          environment: 'test',
        }),
        NatsModule.forRootAsync(),
      );
    await using byUrl = await from({ NATS_URL: `${server.urlFor('reader', 'p@ss/word')},127.0.0.1:1` });
    expect(byUrl.get(NatsClient).isConnected).toBe(true);
    await using byFields = await from({
      NATS_SERVERS: servers().join(','),
      NATS_USER: server.user!,
      NATS_PASSWORD: server.password!,
    });
    expect(byFields.get(NatsClient).isConnected).toBe(true);
    const both = await failure(from({ NATS_URL: server.url, NATS_TOKEN: 'hunter2' }));
    expect(both.message).toMatch(/one way to log in/);
    expect(both.message).not.toContain('hunter2');
    expect(both.message).not.toContain(server.password);
  });
});

describe('ways to log in', () => {
  const pair = nkeys.createUser();
  const seed = Buffer.from(pair.getSeed()).toString();
  const { config, credentials } = operatorAndUser();
  const byToken = useNatsServer({ auth: 'token' });
  const byKey = useNatsServer({ auth: { nkey: pair.getPublicKey() } });
  const byJwt = useNatsServer({ auth: 'none', config });
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'core-infra-nats-'))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('a token', async () => {
    expect(await works({ url: byToken.url })).toBe(1);
    const servers = [`${byToken.host}:${byToken.port}`];
    expect((await told({ servers, token: 'hunter2' })).text).toMatch(/refuses the login by the token: it is wrong/);
  });

  it('a key pair: its seed, or a file with it', async () => {
    expect(await works({ url: byKey.url, nkeySeed: seed })).toBe(1);
    expect(await works({ url: byKey.url, nkeySeed: file('seed', `${seed}\n`) })).toBe(2);
    const unknown = Buffer.from(nkeys.createUser().getSeed()).toString();
    const wrong = await told({ url: byKey.url, nkeySeed: unknown });
    expect(wrong.text).toMatch(/refuses the login by the NKEY: its user is unknown/);
    expect(wrong.text).not.toContain(unknown);
    const damaged = await told({ url: byKey.url, nkeySeed: `${seed.slice(0, -2)}AA` });
    expect(damaged.text).toMatch(/nats\.nkeySeed says cannot be used: it is damaged/);
    expect(damaged.text).not.toContain(seed.slice(0, -2));
  });

  it('credentials of an account with JWTs: the text, or a file', async () => {
    expect(await works({ url: byJwt.url, credentials })).toBe(1);
    expect(await works({ url: byJwt.url, credentials: file('app.creds', credentials) })).toBe(2);
    const missing = await told({ url: byJwt.url, credentials: join(folder, 'no-such.creds') });
    expect(missing.text).toMatch(/nats\.credentials says cannot be used: it is no file/);
    const other = operatorAndUser();
    expect((await told({ url: byJwt.url, credentials: other.credentials })).text).toMatch(
      /refuses the login by the credentials: they are wrong, or expired/,
    );
  });
});

describe('TLS', () => {
  const secure = useNatsServer({ tls: { clientCertificate: 'required' } });
  const plain = useNatsServer();

  it('by text, with a certificate of the client', async () => {
    const { ca, cert, key } = secure.tls!;
    expect(await works({ url: secure.url, tls: { ca, cert, key } })).toBe(1);
  });

  it('no authority, no certificate, no TLS at the server, no file', async () => {
    const { ca } = secure.tls!;
    expect((await told({ url: secure.url, connectTimeoutMs: 3_000 })).text).toMatch(
      /cannot be verified .*nats\.tls\.ca/,
    );
    const withoutCertificate = await told({ url: secure.url, tls: { ca }, connectTimeoutMs: 3_000 });
    expect(withoutCertificate.text).toMatch(/the TLS handshake.*nats\.tls\.cert/);
    const noTls = await told({ url: plain.url.replace('nats:', 'tls:'), connectTimeoutMs: 3_000 });
    expect(noTls.text).toMatch(/speaks no TLS\. Use nats:\/\//);
    const noFile = await told({ url: secure.url, tls: { ca: '/no/such.pem' } });
    expect(noFile.text).toMatch(/The file "\/no\/such\.pem" that nats\.tls\.ca names cannot be read \(ENOENT\)/);
  });
});
