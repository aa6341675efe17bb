import { startRedis, useRedisServer } from '@core-infra/testing';
import { withRedis } from '../../src/redis/redis.admin.js';

const get = (url: string, key: string) => withRedis(url, client => client.get(key));
const set = (url: string, key: string) => withRedis(url, client => client.set(key, 'kept'));

describe('useRedisServer', () => {
  const server = useRedisServer({ args: ['--maxmemory', '20mb', '--maxmemory-policy', 'allkeys-lru'] });

  it('takes arguments', async () => {
    const settings = await withRedis(server.url, client => client.config('GET', 'maxmemory-policy'));
    expect(settings).toEqual(['maxmemory-policy', 'allkeys-lru']);
  });

  it('refuses while it is stopped, and serves again at the same address, empty', async () => {
    await set(server.url, 'a');
    await server.stop();
    await expect(get(server.url, 'a')).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await get(server.url, 'a')).toBeNull();
  });

  it('restarts, and crashes', async () => {
    const runId = () => withRedis(server.url, async client => /run_id:(\w+)/.exec(await client.info('server'))![1]);
    const before = await runId();
    await server.restart();
    const after = await runId();
    expect(after).not.toBe(before);
    await server.kill();
    await expect(runId()).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await runId()).not.toBe(after);
  });
});

describe('startRedis', () => {
  it('keeps its data over a crash and a restart when they are durable', async () => {
    await using server = await startRedis({ durable: true });
    await set(server.url, 'a');
    await server.kill('SIGKILL');
    await server.start();
    expect(await get(server.url, 'a')).toBe('kept');
    await server.restart();
    expect(await get(server.url, 'a')).toBe('kept');
  });

  it('knows other accounts, with their rules', async () => {
    await using server = await startRedis({
      users: [{ name: 'reader', password: 'r/d', rules: '~open:* +@read +info' }],
    });
    const url = server.urlFor('reader', 'r/d');
    await set(server.url, 'open:a');
    expect(await get(url, 'open:a')).toBe('kept');
    await expect(get(url, 'closed:a')).rejects.toThrow('NOPERM');
    await expect(set(url, 'open:a')).rejects.toThrow('NOPERM');
  });

  it('runs without a password', async () => {
    await using server = await startRedis({ password: false });
    expect(server.password).toBeUndefined();
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
    expect(await get(server.url, 'a')).toBeNull();
  });

  it('speaks TLS only, verified by its own authority', async () => {
    await using server = await startRedis({ tls: true });
    expect(server.url).toMatch(/^rediss:\/\//);
    const { ca } = server.tls!;
    expect(await withRedis(server.url, client => client.ping(), { ca })).toBe('PONG');
    await expect(withRedis(server.url, client => client.ping())).rejects.toThrow(/self-signed|unable to verify/);
    await expect(get(server.url.replace('rediss:', 'redis:'), 'a')).rejects.toThrow();
  });

  it('demands a certificate of the client', async () => {
    await using server = await startRedis({ tls: { clientCertificate: 'required' } });
    const { ca, cert, key } = server.tls!;
    expect(await withRedis(server.url, client => client.ping(), { ca, cert, key })).toBe('PONG');
    await expect(withRedis(server.url, client => client.ping(), { ca })).rejects.toThrow();
  });

  it('leaves nothing', async () => {
    const server = await startRedis();
    await server.kill('SIGSTOP');
    await server.dispose();
    await expect(get(server.url, 'a')).rejects.toThrow('ECONNREFUSED');
  });
});
