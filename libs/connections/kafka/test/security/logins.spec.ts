import { KafkaClient, KafkaModule, type KafkaOptions } from '@core-infra/kafka';
import { Connections } from '@core-infra/kernel';
import { bootInfra, bootLogged, eventually, uniqueName, useKafkaServer } from '@core-infra/testing';
import { Kafka, logLevel } from 'kafkajs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { collect } from '../fixtures/collecting.js';

jest.setTimeout(60_000);

/** What a boot that needs Kafka fails with, and after how many milliseconds. */
async function failure(
  options: KafkaOptions,
): Promise<{ error: { code: string; cause: Error & { code?: string } }; tookMs: number }> {
  const began = performance.now();
  try {
    const app = await bootInfra(KafkaModule.forRoot({ startup: 'require', connectTimeoutMs: 4_000, ...options }));
    await app.close();
  } catch (error) {
    return { error: error as never, tookMs: performance.now() - began };
  }
  throw new Error('it booted');
}

async function roundTrip(options: KafkaOptions, topic: string): Promise<string> {
  await using app = await bootInfra(KafkaModule.forRoot({ startup: 'require', ...options }));
  const client = app.get(KafkaClient);
  const value = uniqueName('value');
  await client.producer.send({ topic, value });
  const { seen } = collect(client, uniqueName('readers'), [topic]);
  return await eventually(() => {
    expect(seen.map(message => String(message.value))).toContain(value);
    return value;
  });
}

async function create(adminBrokers: string[], topic: string): Promise<void> {
  const admin = new Kafka({ brokers: adminBrokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
}

describe('SASL_PLAINTEXT, with rights', () => {
  const topic = uniqueName('guarded');
  const secret = uniqueName('secret');
  const server = useKafkaServer({
    sasl: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'],
    acl: true,
    users: [
      { name: 'app', password: secret, allow: [{ topic: 'guarded*' }, { group: 'readers*' }] },
      { name: 'writer', password: secret, allow: [{ topic: 'guarded*' }] },
    ],
  });
  beforeAll(() => create(server.adminBrokers, topic));
  const as = (username: string, mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' = 'SCRAM-SHA-256') => ({
    brokers: server.brokers,
    securityProtocol: 'SASL_PLAINTEXT' as const,
    sasl: { mechanism, username, password: secret },
  });

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('lets in by %s', async mechanism => {
    expect(await roundTrip(as('app', mechanism), topic)).toContain('value');
  });

  const token = (subject: string) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1_000);
    return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + 600, scope: 'kafka' })}.`;
  };

  it('lets in by OAUTHBEARER, with a token of the app’s own', async () => {
    const sasl = { mechanism: 'OAUTHBEARER' as const, oauth: { token: () => Promise.resolve(token('app')) } };
    const options = { brokers: server.brokers, securityProtocol: 'SASL_PLAINTEXT' as const, sasl };
    expect(await roundTrip(options, topic)).toContain('value');
  });

  it('gets a token from an endpoint with the client’s id and secret', async () => {
    const asked: unknown[] = [];
    const endpoint = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: token('app') }));
    }).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    const tokenEndpoint = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`;
    const sasl = { mechanism: 'OAUTHBEARER' as const, username: 'id', password: 'client-secret', tokenEndpoint };
    try {
      await roundTrip({ brokers: server.brokers, securityProtocol: 'SASL_PLAINTEXT', sasl }, topic);
    } finally {
      endpoint.close();
      endpoint.closeAllConnections();
    }
    expect(asked[0]).toBe(`Basic ${Buffer.from('id:client-secret').toString('base64')}`);
  });

  it.each([
    ['<html>the-token</html>', 'its answer is no JSON'],
    ['{"token":"the-token"}', 'its answer has no access_token'],
    [undefined, 'it answers 401'],
  ])('says which endpoint gives no token, and shows no secret of it: %s', async (answer, problem) => {
    const endpoint = createServer((_request, response) => {
      response.statusCode = answer === undefined ? 401 : 200;
      response.end(answer ?? '{"error":"the-token"}');
    }).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    const host = `127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
    const tokenEndpoint = `http://${host}/token?key=hidden-key`;
    const sasl = { mechanism: 'OAUTHBEARER' as const, username: 'id', password: 'hidden-secret', tokenEndpoint };
    try {
      const { error, tookMs } = await failure({
        brokers: server.brokers,
        securityProtocol: 'SASL_PLAINTEXT',
        sasl,
      });
      expect(error.cause).toMatchObject({ code: 'INFRA_KAFKA_TOKEN', host });
      expect(String(error)).toContain(`${host} gives no token for Kafka: ${problem}.`);
      expect(inspect(error, { depth: 10 })).not.toMatch(/hidden|the-token/);
      expect(tookMs).toBeLessThan(5_000);
    } finally {
      endpoint.close();
      endpoint.closeAllConnections();
    }
  });

  it('says within seconds that a password is wrong, without telling it', async () => {
    const wrong = uniqueName('wrong');
    const sasl = { mechanism: 'SCRAM-SHA-512' as const, username: 'app', password: wrong };
    const { error, tookMs } = await failure({ ...as('app'), sasl });
    expect(error.cause).toMatchObject({ code: 'INFRA_KAFKA_AUTHENTICATION' });
    expect(String(error)).toContain('refuses the login by SCRAM-SHA-512: the user or the password is wrong');
    expect(String(error)).toContain('KAFKA_SASL_PASSWORD');
    expect(String(error)).not.toContain(wrong);
    expect(tookMs).toBeLessThan(5_000);
  });

  it('hints at a login where none was given', async () => {
    const { error, tookMs } = await failure({ brokers: server.brokers });
    expect(error.cause).toMatchObject({ code: 'INFRA_KAFKA_UNREACHABLE' });
    expect(String(error)).toContain('wants TLS or a login (SASL); see kafka.securityProtocol');
    expect(tookMs).toBeLessThan(5_000);
  });

  it('names the topic and the group that the account has no right to', async () => {
    const other = uniqueName('secret-topic');
    await create(server.adminBrokers, other);
    await using up = await bootLogged(KafkaModule.forRoot({ ...as('writer'), startup: 'require' }));
    const client = up.app.get(KafkaClient);
    const began = performance.now();
    await expect(client.producer.send({ topic: other, value: 'x' })).rejects.toMatchObject({
      code: 'INFRA_KAFKA_UNAUTHORIZED',
      message: expect.stringContaining(`The user "writer" may not use the topic "${other}"`) as string,
    });
    const failures: Error[] = [];
    const group = uniqueName('readers');
    collect(client, group, [topic], { failed: error => void failures.push(error as Error) });
    await eventually(() => expect(failures[0]).toMatchObject({ code: 'INFRA_KAFKA_UNAUTHORIZED', kind: 'group' }));
    expect(failures[0]?.message).toContain(`may not use the group "${group}"`);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(up.logger.matching(/may not use the group/).filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(up.logger.records.filter(({ level }) => level === 'error')).toEqual([]);
    expect(JSON.stringify(up.logger.records)).not.toContain(secret);
  });
});

describe('an account that may only read', () => {
  const topic = uniqueName('readable');
  const secret = uniqueName('secret');
  const allow = [{ topic: 'readable*', operations: ['READ', 'DESCRIBE'] }];
  const server = useKafkaServer({ sasl: ['PLAIN'], acl: true, users: [{ name: 'reader', password: secret, allow }] });
  beforeAll(() => create(server.adminBrokers, topic));

  it('is told what it lacks when it writes, and health goes on saying it; nothing is written to find out', async () => {
    await using app = await bootInfra(
      KafkaModule.forRoot({
        brokers: server.brokers,
        securityProtocol: 'SASL_PLAINTEXT',
        sasl: { mechanism: 'PLAIN', username: 'reader', password: secret },
        startup: 'require',
        health: { topics: [topic] },
      }),
    );
    const client = app.get(KafkaClient);
    const check = async () =>
      app
        .get(Connections)
        .checks()
        .find(({ name }) => name === 'kafka-producer')!
        .run();
    expect(await check()).toEqual({ topics: 1, pending: 0, bufferedBytes: 0 });
    const problem = { code: 'INFRA_KAFKA_UNAUTHORIZED' };
    await expect(client.producer.send({ topic, value: 'x' })).rejects.toMatchObject(problem);
    await expect(check()).rejects.toMatchObject(problem);
    expect(await client.reader.bounds(topic)).toMatchObject([{ end: 0n }]);
  });
});

describe('SASL_SSL', () => {
  const topic = uniqueName('encrypted');
  const server = useKafkaServer({ sasl: ['SCRAM-SHA-256'], tls: true, users: [{ name: 'app', password: 'secret' }] });
  beforeAll(() => create(server.adminBrokers, topic));
  const sasl = { mechanism: 'SCRAM-SHA-256' as const, username: 'app', password: 'secret' };

  it('lets in, and encrypts', async () => {
    const tls = { ca: server.tls!.ca };
    expect(await roundTrip({ brokers: server.brokers, securityProtocol: 'SASL_SSL', sasl, tls }, topic)).toContain(
      'value',
    );
  });

  it('says which certificate is not trusted, and what to name', async () => {
    const { error, tookMs } = await failure({ brokers: server.brokers, securityProtocol: 'SASL_SSL', sasl });
    expect(error.cause).toMatchObject({ code: 'INFRA_KAFKA_TLS' });
    expect(String(error)).toContain('KAFKA_TLS_CA');
    expect(tookMs).toBeLessThan(5_000);
  });

  it('hints at TLS where none was asked for', async () => {
    const { error } = await failure({ brokers: server.brokers, securityProtocol: 'SASL_PLAINTEXT', sasl });
    expect(String(error)).toMatch(/wants TLS|TLS/);
  });
});

describe('SSL with certificates of clients', () => {
  const topic = uniqueName('certified');
  const server = useKafkaServer({
    tls: { clientCertificate: 'required' },
    acl: true,
    users: [{ name: 'CN=spec-client', allow: [{ topic: 'certified*' }, { group: '*' }] }],
  });
  beforeAll(() => create(server.adminBrokers, topic));

  it('lets in whoever has one, with its rights', async () => {
    const { ca, cert, key } = server.tls!;
    const options = { brokers: server.brokers, securityProtocol: 'SSL' as const, tls: { ca, cert, key } };
    expect(await roundTrip(options, topic)).toContain('value');
  });

  it('names the setting where there is none', async () => {
    const tls = { ca: server.tls!.ca };
    const { error, tookMs } = await failure({ brokers: server.brokers, securityProtocol: 'SSL', tls });
    expect(error.cause).toMatchObject({ code: 'INFRA_KAFKA_TLS' });
    expect(String(error)).toContain('kafka.tls.cert');
    expect(tookMs).toBeLessThan(5_000);
  });
});
