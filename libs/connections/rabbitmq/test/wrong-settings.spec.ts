import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigModule } from '@core-infra/config';
import { AmqpConnection, RabbitmqClient, RabbitmqModule, type RabbitmqOptions } from '@core-infra/rabbitmq';
import { bootInfra, bootLogged, eventually, failure, uniqueName, useRabbitmqServer } from '@core-infra/testing';

/** What a boot that requires the connection fails with, and how long that takes. */
async function told(options: RabbitmqOptions): Promise<{ error: Error & { code?: string }; ms: number; text: string }> {
  const began = performance.now();
  const error = await failure(bootInfra(RabbitmqModule.forRoot({ startup: 'require', ...options })));
  const ms = performance.now() - began;
  return { error, ms, text: `${error.message} ${(error.cause as Error | undefined)?.message ?? ''}` };
}

describe('settings that do not fit the broker', () => {
  const server = useRabbitmqServer({
    vhosts: ['orders', 'closed'],
    users: [
      { name: 'limited', password: 'p@ss/word', vhosts: { orders: { configure: '^own', write: '^own', read: '.*' } } },
    ],
  });
  const fields = () => ({ host: server.host, port: server.port });
  const limited = () => ({
    ...fields(),
    user: 'limited',
    password: 'p@ss/word',
    vhost: 'orders',
    startup: 'require' as const,
  });

  it('a wrong password, an unknown user: which, the fix, within 5 s, and never the password', async () => {
    for (const login of [
      { user: server.user, password: 'hunter2' },
      { user: 'nobody', password: 'hunter2' },
    ]) {
      const { text, ms } = await told({ ...fields(), ...login });
      expect(text).toMatch(`refuses the login of ${login.user}: the user or the password is wrong`);
      expect(text).toMatch('RABBITMQ_PASSWORD');
      expect(text).not.toContain('hunter2');
      expect(ms).toBeLessThan(5_000);
    }
  });

  it('a virtual host that is not there, and one that the user may not enter', async () => {
    const { user, password } = server;
    const missing = await told({ ...fields(), user, password, vhost: 'no/such' });
    expect(missing.text).toMatch(/has no virtual host no\/such, or does not let core in\. Correct RABBITMQ_VHOST/);
    const closed = await told({ ...limited(), vhost: 'closed' });
    expect(closed.text).toMatch(
      /has no virtual host closed, or does not let limited in\. .*rabbitmqctl set_permissions -p closed limited/,
    );
    expect(Math.max(missing.ms, closed.ms)).toBeLessThan(5_000);
  });

  it('a host where nobody listens: within connectTimeoutMs', async () => {
    const { text, ms } = await told({ host: '127.0.0.1', port: 1, connectTimeoutMs: 1_000 });
    expect(text).toMatch(/ECONNREFUSED 127\.0\.0\.1:1/);
    expect(ms).toBeLessThan(5_000);
  });

  it('what the user may not do: declare, publish; and that it may do the rest', async () => {
    await using app = await bootInfra(RabbitmqModule.forRoot(limited()));
    const client = app.get(RabbitmqClient);
    expect(await failure(client.topology({ queues: [{ name: 'foreign' }] }))).toMatchObject({
      code: 'INFRA_RABBITMQ_PERMISSION',
      user: 'limited',
      resource: 'queue foreign',
    });
    expect(await failure(client.publish({ exchange: 'amq.topic', routingKey: 'x', content: 'x' }))).toMatchObject({
      code: 'INFRA_RABBITMQ_PERMISSION',
      resource: 'exchange amq.topic',
    });
    await client.topology({ exchanges: [{ name: 'own-events' }], queues: [{ name: 'own-queue' }] });
    await client.publish({ exchange: 'own-events', content: 'x', mandatory: false });
    expect(await client.depth('own-queue')).toEqual({ messages: 0, consumers: 0 });
  });

  it('a background start says it once, and connects when it is put right', async () => {
    await using booted = await bootLogged(RabbitmqModule.forRoot({ ...fields(), user: 'nobody', password: 'hunter2' }));
    await eventually(() => expect(booted.logger.matching(/refuses the login of nobody/)).toHaveLength(1));
    expect(JSON.stringify(booted.logger.records)).not.toContain('hunter2');
    const client = booted.app.get(RabbitmqClient);
    expect(client.isConnected).toBe(false);
    expect(() => booted.app.get(AmqpConnection).current).toThrow(/rabbitmq is away: RabbitMQ at .* refuses the login/);
    expect(await failure(client.depth('q'))).toMatchObject({ code: 'INFRA_RABBITMQ_UNAVAILABLE', retryable: true });
  });

  it('the environment: RABBITMQ_URL, and its fields; a contradiction names both', async () => {
    const from = (env: Record<string, string>) =>
      bootInfra(
        ConfigModule.forRoot({ root: '/nowhere', env, argv: [], watch: false, environment: 'test' }),
        RabbitmqModule.forRootAsync({ useFactory: () => ({ startup: 'require' as const }) }),
      );
    await using byUrl = await from({ RABBITMQ_URL: server.urlFor('limited', 'p@ss/word', 'orders') });
    expect(byUrl.get(RabbitmqClient).isConnected).toBe(true);
    await using byFields = await from({
      RABBITMQ_HOST: server.host,
      RABBITMQ_PORT: String(server.port),
      RABBITMQ_USER: 'limited',
      RABBITMQ_PASSWORD: 'p@ss/word',
      RABBITMQ_VHOST: 'orders',
      RABBITMQ_EXCHANGE: 'own-events',
      RABBITMQ_QUEUE_PREFIX: 'own-',
      RABBITMQ_HEARTBEAT: '7',
    });
    const client = byFields.get(RabbitmqClient);
    expect(client.queueName('q')).toBe('own-q');
    const raw = byFields.get(AmqpConnection).current.connection as unknown as { heartbeat: number };
    expect(raw.heartbeat).toBe(7);
    const both = await failure(from({ RABBITMQ_URL: server.url, RABBITMQ_HOST: 'elsewhere' }));
    expect(both.message).toMatch(/RABBITMQ_URL[\s\S]*RABBITMQ_HOST|RABBITMQ_HOST[\s\S]*RABBITMQ_URL/);
    expect(both.message).not.toContain(server.password);
  });
});

describe('a broker that takes small messages only', () => {
  const small = useRabbitmqServer({ config: ['max_message_size = 2000'] });

  it('says how large one is and may be, at once from the second on, and takes the others', async () => {
    await using app = await bootInfra(RabbitmqModule.forRoot({ url: small.url, startup: 'require' }));
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('small');
    await client.topology({ queues: [{ name: queue }] });
    const send = (bytes: number) => client.send(queue, { content: Buffer.alloc(bytes) });
    const results = await Promise.allSettled([1_000, 2_001, 2_000, 3_000].map(send));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({
      code: 'INFRA_RABBITMQ_TOO_LARGE',
      status: 413,
      retryable: false,
      problem: `A message to the queue ${queue} has 2001 bytes, and the broker takes 2000.`,
    });
    expect((results[3] as PromiseRejectedResult).reason).toMatchObject({ bytes: 3_000, limit: 2_000 });
    let channels = 0;
    const model = app.get(AmqpConnection).current;
    const create = model.createConfirmChannel.bind(model);
    jest.spyOn(model, 'createConfirmChannel').mockImplementation((...args) => {
      channels += 1;
      return create(...(args as Parameters<typeof create>));
    });
    expect(await failure(send(2_001))).toMatchObject({ code: 'INFRA_RABBITMQ_TOO_LARGE' });
    await send(2_000);
    expect(channels).toBe(0);
  });
});

describe('TLS', () => {
  const secure = useRabbitmqServer({ tls: { clientCertificate: 'required' } });
  const plain = useRabbitmqServer();

  it('by text and by files, with a certificate of the client; messages go both ways', async () => {
    const { ca, cert, key } = secure.tls!;
    await using app = await bootInfra(
      RabbitmqModule.forRoot({ startup: 'require', url: secure.url, tls: { ca, cert, key } }),
    );
    const client = app.get(RabbitmqClient);
    const queue = uniqueName('secret');
    await client.topology({ queues: [{ name: queue }] });
    await client.send(queue, { content: 'x' });
    const folder = mkdtempSync(join(tmpdir(), 'core-infra-tls-'));
    try {
      const file = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const tls = { ca: file('ca', ca), cert: file('cert', cert), key: file('key', key) };
      await using other = await bootInfra(RabbitmqModule.forRoot({ startup: 'require', url: secure.url, tls }));
      const got: string[] = [];
      await other.get(RabbitmqClient).consume(queue, {}, message => {
        got.push(message.content.toString());
        message.ack();
      });
      await eventually(() => expect(got).toEqual(['x']));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('no authority, no certificate, no TLS where it is wanted, TLS where there is none, no file', async () => {
    const { ca, cert, key } = secure.tls!;
    expect((await told({ url: secure.url })).text).toMatch(/cannot be verified .*rabbitmq\.tls\.ca/);
    expect((await told({ url: secure.url, tls: { ca } })).text).toMatch(
      /during the TLS handshake.*rabbitmq\.tls\.cert/,
    );
    const amqp = secure.url.replace('amqps:', 'amqp:');
    expect((await told({ url: amqp, connectTimeoutMs: 3_000 })).text).toMatch(/closed the connection.*amqps:\/\//);
    const amqps = plain.url.replace('amqp:', 'amqps:');
    expect((await told({ url: amqps, tls: { ca, cert, key }, connectTimeoutMs: 3_000 })).text).toMatch(
      /during the TLS handshake.*amqp:\/\//,
    );
    const noFile = await told({ url: secure.url, tls: { ca: '/no/such.pem' } });
    expect(noFile.text).toMatch(/The file "\/no\/such\.pem" that rabbitmq\.tls\.ca names cannot be read \(ENOENT\)/);
  });
});
