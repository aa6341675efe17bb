import { usePostgres, useTcpProxy } from '@core-infra/testing';
import { Client } from 'pg';

describe('useTcpProxy', () => {
  const pg = usePostgres();
  const proxy = useTcpProxy(() => pg.url);
  const clients: Client[] = [];

  async function connect(): Promise<Client> {
    const client = new Client({ connectionString: proxy.url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  }

  afterEach(async () => {
    await proxy.resume();
    await Promise.allSettled(clients.splice(0).map(client => client.end()));
  });

  it('passes everything on, from another port', async () => {
    const client = await connect();
    expect((await client.query('SELECT repeat($1, 1000000) AS text', ['x'])).rows[0].text).toHaveLength(1_000_000);
    expect(new URL(proxy.url).port).not.toBe(new URL(pg.url).port);
    expect(new URL(proxy.url).pathname).toBe(new URL(pg.url).pathname);
    expect(proxy.connections).toBe(1);
  });

  it('holds back what is said while it hangs, in open and in new connections, and delivers it afterwards', async () => {
    const open = await connect();
    let answered = false;
    proxy.hang();
    const query = open.query('SELECT 1 AS one').finally(() => (answered = true));
    const another = new Client({ connectionString: proxy.url, connectionTimeoutMillis: 100 });
    await expect(another.connect()).rejects.toThrow('timeout');
    expect(answered).toBe(false);

    await proxy.resume();
    expect((await query).rows).toEqual([{ one: 1 }]);
  });

  it('resets and refuses while it is cut, and is there again on the same port', async () => {
    const client = await connect();
    const url = proxy.url;
    await proxy.cut();
    await expect(client.query('SELECT 1')).rejects.toThrow(/ECONNRESET|terminated|not queryable/);
    await expect(connect()).rejects.toThrow('ECONNREFUSED');

    await proxy.resume();
    expect(proxy.url).toBe(url);
    expect((await (await connect()).query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }]);
  });

  it('drops connections and serves new ones', async () => {
    const client = await connect();
    proxy.dropConnections();
    await expect(client.query('SELECT 1')).rejects.toThrow(/ECONNRESET|terminated|not queryable/);
    await (await connect()).query('SELECT 1');
  });

  it('delays each direction', async () => {
    const client = await connect();
    await proxy.delay(30);
    const from = performance.now();
    await client.query('SELECT 1');
    // Twice 30 ms, and timers may fire some milliseconds early.
    expect(performance.now() - from).toBeGreaterThanOrEqual(45);
  });
});
