import { startRedisSentinel, useRedisSentinel } from '@core-infra/testing';
import { Redis } from 'ioredis';
import { withRedis } from '../../src/redis/redis.admin.js';

describe('useRedisSentinel', () => {
  const sentinel = useRedisSentinel();
  const connect = async (): Promise<Redis> => {
    const client = new Redis({
      sentinels: [...sentinel.sentinels],
      name: sentinel.masterName,
      disconnectTimeout: 100,
      password: sentinel.password,
      lazyConnect: true,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const portSeen = async (): Promise<number> => {
    const client = await connect();
    try {
      expect(await client.role()).toContain('master');
      return client.stream.remotePort!;
    } finally {
      client.disconnect();
    }
  };

  it('leads clients to the master', async () => {
    expect(await portSeen()).toBe(await sentinel.master());
  });

  it('hands over on request', async () => {
    const before = await sentinel.master();
    const after = await sentinel.failover();
    expect(after).not.toBe(before);
    expect(await portSeen()).toBe(after);
  });

  it('replaces a master that is killed, and takes it back as a replica', async () => {
    const before = await sentinel.killMaster();
    await sentinel.settled();
    expect(await portSeen()).not.toBe(before);

    await sentinel.start(before);
    await sentinel.settled();
    const url = sentinel.urls.find(each => Number(new URL(each).port) === before)!;
    expect(await withRedis(url, client => client.info('replication'))).toContain('role:slave');
  });

  it('does without one of the sentinels', async () => {
    const { port } = sentinel.sentinels[0]!;
    await sentinel.kill(port);
    expect(await portSeen()).toBe(await sentinel.master());
    await sentinel.start(port);
    await sentinel.settled();
  });
});

it('startRedisSentinel gives the sentinels a password too, and leaves nothing', async () => {
  const sentinel = await startRedisSentinel({ sentinelPassword: true });
  const { urls, sentinels, sentinelPassword } = sentinel;
  const { port } = sentinels[0]!;
  await expect(withRedis(`redis://127.0.0.1:${port}`, client => client.ping())).rejects.toThrow('NOAUTH');
  expect(await withRedis(`redis://:${sentinelPassword}@127.0.0.1:${port}`, client => client.ping())).toBe('PONG');
  await sentinel.dispose();
  for (const url of [...urls, `redis://127.0.0.1:${port}`])
    await expect(withRedis(url, client => client.ping())).rejects.toThrow('ECONNREFUSED');
});
