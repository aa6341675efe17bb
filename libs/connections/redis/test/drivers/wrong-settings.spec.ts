import { AppInfo } from '@core-infra/kernel';
import type { DynamicModule } from '@nestjs/common';
import { availabilityOf, RedisClient, RedisModule, type RedisOptions } from '@core-infra/redis';
import { bootInfra, bootLogged, eventually, failure, uniqueName, useRedisServer } from '@core-infra/testing';

const hurried: RedisOptions = { connectTimeoutMs: 1_000, retry: { firstDelayMs: 10, maxDelayMs: 20 } };

interface Told {
  readonly required: string;
  readonly line: string;
  readonly command: string;
}

/** What a boot that requires the connection fails with, and which line the background says, once; of each of the settings. */
async function told<All extends RedisOptions[]>(...all: All): Promise<{ [At in keyof All]: Told }> {
  const found: Told[] = [];
  for (const options of all) {
    const settings = { ...hurried, ...options };
    const required = await failure(bootInfra(RedisModule.forRoot({ ...settings, startup: 'require' })));
    found.push({ required: required.message, ...(await inBackground(settings)) });
  }
  return found as { [At in keyof All]: Told };
}

async function inBackground(options: RedisOptions) {
  await using booted = await bootLogged(RedisModule.forRoot(options));
  const client = booted.app.get(RedisClient);
  let attempts = 0;
  client.on('connecting', () => (attempts += 1));
  const warnings = () => booted.logger.records.filter(({ level }) => level === 'warn');
  await eventually(() => expect(warnings().length).toBeGreaterThan(0));
  // Several attempts later there is still one line.
  const until = attempts + 3;
  await eventually(() => expect(attempts).toBeGreaterThanOrEqual(until));
  expect(warnings()).toHaveLength(1);
  expect(availabilityOf(client).isAvailable).toBe(false);
  // Between two attempts; in the middle of one, a command gets the answer of the server itself.
  let command: Error | undefined;
  await eventually(async () => {
    command = await failure(client.set(uniqueName('k'), 'v'));
    expect(command).toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
  });
  return { line: warnings()[0]!.msg, command: command!.message };
}

describe('settings that do not fit the server', () => {
  const server = useRedisServer({ users: [{ name: 'limited', password: 'pw', rules: '~orders:* +get +set +ping' }] });
  const secure = useRedisServer({ tls: { clientCertificate: 'required' } });
  const node = useRedisServer({ args: ['--cluster-enabled', 'yes'] });
  const at = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;

  it('a wrong password, and none', async () => {
    const [wrong, none] = await told({ url: server.urlFor('default', 'hunter2') }, { addr: at(server) });
    for (const text of [wrong.required, wrong.line, wrong.command]) {
      expect(text).toMatch(/refuses the login: the user or the password is wrong\..*REDIS_PASSWORD/);
      expect(text).not.toContain('hunter2');
    }
    expect(none.line).toMatch(/refuses the login: it wants a password\./);
  });

  it('a host where nobody listens', async () => {
    const [{ required, line }] = await told({ addr: '127.0.0.1:1' });
    expect(required).toMatch(
      /redis at 127\.0\.0\.1:1\/0 could not be opened: (Error: )?connect ECONNREFUSED 127\.0\.0\.1:1/,
    );
    expect(line).toMatch(
      /^redis is not reachable yet and is tried again: (Error: )?connect ECONNREFUSED 127\.0\.0\.1:1$/,
    );
  });

  it('a database that the server does not have: nothing is written to database 0 instead', async () => {
    const [{ required, line }] = await told({ url: server.url, db: 99 });
    for (const text of [required, line])
      expect(text).toMatch(/has no database 99\. Choose a lower number \(REDIS_DB\)/);
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    expect(await app.get(RedisClient).dbsize()).toBe(0);
  });

  it('the cluster driver against a plain server, and the reverse', async () => {
    const [cluster, plain] = await told({ url: server.url, driver: 'cluster' }, { url: node.url });
    for (const text of [cluster.required, cluster.line])
      expect(text).toMatch(
        /is no node of a cluster, and the connection’s driver is "cluster"\. Set the driver to "standalone"/,
      );
    for (const text of [plain.required, plain.line])
      expect(text).toMatch(
        /is a node of a cluster, and the connection’s driver is "standalone"\. Set the driver to "cluster"/,
      );
  });

  it('TLS: where there is none, none where it is wanted, an unknown authority, no certificate', async () => {
    const { ca, cert, key } = secure.tls!;
    const [none, unknown, anonymous, other, plain] = await told(
      { addr: at(secure), password: secure.password },
      { url: secure.url, tls: { cert, key } },
      { url: secure.url, tls: { ca } },
      { url: secure.url, tls: { ca, cert, key, servername: 'elsewhere.example' } },
      { url: server.url.replace('redis:', 'rediss:') },
    );
    expect(none.line).toMatch(/closed the connection before it answered\. If it wants TLS, use rediss:/);
    expect(unknown.required).toMatch(/cannot be verified: .*redis\.tls\.ca/);
    expect(anonymous.line).toMatch(/wants a certificate of this client.*redis\.tls\.cert/);
    expect(other.line).toMatch(/elsewhere\.example.*redis\.tls\.servername/);
    expect(plain.line).toMatch(/TLS/);
    expect(plain.required).toMatch(/TLS/);
  }, 30_000);

  it('TLS as it should be, by PEM text; a file that is not there is named', async () => {
    const { ca, cert, key } = secure.tls!;
    await using app = await bootInfra(
      RedisModule.forRoot({ url: secure.url, tls: { ca, cert, key }, startup: 'require' }),
    );
    expect(await app.get(RedisClient).ping()).toBe('PONG');
    await expect(
      bootInfra(RedisModule.forRoot({ url: secure.url, tls: { ca: '/nowhere/ca.pem' } })),
    ).rejects.toMatchObject({
      code: 'INFRA_REDIS_TLS_FILE',
      message: expect.stringContaining('"/nowhere/ca.pem" that redis.tls.ca names cannot be read (ENOENT)') as string,
    });
  });

  it('an ACL user that may use its keys and nothing else', async () => {
    await using booted = await bootLogged(
      RedisModule.forRoot({ url: server.urlFor('limited', 'pw'), startup: 'require' }),
    );
    const client = booted.app.get(RedisClient);
    expect(await client.set('orders:1', 'x')).toBe('OK');
    await expect(client.set('other', 'secret')).rejects.toThrow(/NOPERM/);
    expect(availabilityOf(client).isAvailable).toBe(true);
  });
});

describe('in production', () => {
  const server = useRedisServer({ password: false });
  const production = (environment: AppInfo['environment']): DynamicModule => ({
    module: class FactsModule {},
    global: true,
    providers: [{ provide: AppInfo, useValue: { ...AppInfo.unknown, environment } }],
    exports: [AppInfo],
  });

  it('no password is a warning, or an error by requireSecure', async () => {
    await using booted = await bootLogged(production('production'), RedisModule.forRoot({ url: server.url }));
    expect(booted.logger.matching(/^redis goes to 127\.0\.0\.1:\d+\/0 without a password\. Set/)).toHaveLength(1);
    await expect(
      bootInfra(production('production'), RedisModule.forRoot({ url: server.url, requireSecure: true })),
    ).rejects.toMatchObject({ code: 'INFRA_REDIS_INSECURE' });
    await using quiet = await bootLogged(production('development'), RedisModule.forRoot({ url: server.url }));
    expect(quiet.logger.matching(/without a password/)).toEqual([]);
  });

  it('no TLS towards another host', async () => {
    await expect(
      bootInfra(
        production('production'),
        RedisModule.forRoot({ url: 'redis://:pw@cache.invalid:6379', requireSecure: true }),
      ),
    ).rejects.toThrow(/redis goes to cache\.invalid:6379\/0 without TLS, though it leaves this host\./);
    await expect(
      bootInfra(
        production('production'),
        RedisModule.forRoot({
          driver: 'cluster',
          password: 'pw',
          cluster: { nodes: ['127.0.0.1:1', '10.1.1.1:2'] },
          requireSecure: true,
        }),
      ),
    ).rejects.toThrow(/without TLS/);
  });
});
