import { startNats, useNatsServer } from '@core-infra/testing';
import { nkeyAuthenticator, nkeys } from '@nats-io/transport-node';
import { withNats } from '../../src/nats/nats.admin.js';

const hello = (url: string, options?: Parameters<typeof withNats>[2]) =>
  withNats(url, connection => Promise.resolve(connection.info?.jetstream), options);

describe('useNatsServer', () => {
  const server = useNatsServer({
    users: [{ name: 'reader', password: 'r/d', subscribe: ['open.>'], publish: ['never'] }],
    config: 'max_payload: 4KB',
  });

  it('takes configuration and accounts, with what they may do', async () => {
    await withNats(server.urlFor('reader', 'r/d'), async connection => {
      expect(connection.info?.max_payload).toBe(4096);
      const closed = connection.subscribe('closed.a');
      expect(String(await closed.closed)).toMatch(/permissions violation/i);
    });
    await expect(hello(server.urlFor('reader', 'wrong'))).rejects.toThrow(/authorization/i);
  });

  it('crashes and comes back at the same address, as it does after a stop', async () => {
    const id = () => withNats(server.url, connection => Promise.resolve(connection.info?.server_id));
    const before = await id();
    await server.kill();
    await expect(id()).rejects.toThrow(/refused/);
    await server.start();
    const after = await id();
    expect(after).not.toBe(before);
    await server.restart();
    expect(await id()).not.toBe(after);
  });
});

describe('startNats', () => {
  // For what it says of a machine without NATS.
  useNatsServer();

  it('lets in by a token', async () => {
    await using server = await startNats({ auth: 'token', jetstream: false });
    expect(server.url).toContain(`${server.token}@`);
    expect(await hello(server.url)).not.toBe(true);
    await expect(hello(server.url.replace(`${server.token}@`, ''))).rejects.toThrow(/authorization/i);
  });

  it('lets in by a key pair', async () => {
    const pair = nkeys.createUser();
    await using server = await startNats({ auth: { nkey: pair.getPublicKey() } });
    expect(await hello(server.url, { authenticator: nkeyAuthenticator(pair.getSeed()) })).toBe(true);
    await expect(hello(server.url)).rejects.toThrow(/authorization/i);
  });

  it('speaks TLS only, demands a certificate of the client, and leaves nothing', async () => {
    const server = await startNats({ tls: { clientCertificate: 'required' } });
    const { ca, cert, key } = server.tls!;
    expect(await hello(server.url, { tls: { ca, cert, key } })).toBe(true);
    await expect(hello(server.url, { tls: { ca } })).rejects.toThrow();
    await server.dispose();
    await expect(hello(server.url, { tls: { ca, cert, key } })).rejects.toThrow(/refused/);
  });
});
