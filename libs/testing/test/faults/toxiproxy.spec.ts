import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { useRedis, useToxiproxy } from '@core-infra/testing';
import { withRedis } from '../../src/redis/redis.admin.js';

describe('useToxiproxy', () => {
  const redis = useRedis();
  const proxy = useToxiproxy(() => redis.url);
  const other = useToxiproxy(() => redis.url);
  const ping = (url = proxy.url) => withRedis(url, client => client.ping());

  const connect = async (): Promise<Socket> => {
    const socket = createConnection(Number(new URL(proxy.url).port), '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };

  it('passes everything on, at an address of its own', async () => {
    expect(proxy.url).not.toBe(redis.url);
    expect(new URL(proxy.url).password).toBe(redis.password);
    expect(await ping()).toBe('PONG');
  });

  it('is down, refuses, and comes back at the same address', async () => {
    const { url } = proxy;
    await proxy.down();
    await expect(ping(url)).rejects.toThrow('ECONNREFUSED');
    expect(await ping(other.url)).toBe('PONG');
    await proxy.heal();
    expect(proxy.url).toBe(url);
    expect(await ping(url)).toBe('PONG');
  });

  it('closes connections that are there when it goes down', async () => {
    const socket = await connect();
    // Only what has been answered through it is a connection that Toxiproxy has taken.
    socket.write('PING\r\n');
    await once(socket, 'data');
    const closed = new Promise(resolve => socket.on('error', () => undefined).once('close', resolve));
    await proxy.down();
    await closed;
    expect(socket.destroyed).toBe(true);
  });

  it('delays every answer', async () => {
    await withRedis(proxy.url, async client => {
      await client.ping();
      await proxy.latency(400);
      const begin = performance.now();
      await client.ping();
      expect(performance.now() - begin).toBeGreaterThan(350);
    });
  });

  it('heals at once, though answers to a connection that has ended are under way', async () => {
    await proxy.latency(60_000);
    const socket = await connect();
    for (let round = 0; round < 20; round += 1) {
      socket.write('PING\r\n');
      await ping(other.url);
    }
    socket.destroy();
    await ping(other.url);
    await proxy.heal();
    expect(await ping()).toBe('PONG');
  }, 15_000);

  it('resets who says something', async () => {
    await proxy.resetPeer();
    const socket = await connect();
    socket.write('PING\r\n');
    const [error] = (await once(socket, 'error').catch((reason: unknown) => [reason])) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });

  it('is half open: it accepts, answers nothing, and closes when it is healed', async () => {
    await proxy.halfOpen();
    const socket = await connect();
    const answers: string[] = [];
    socket.on('data', data => answers.push(String(data)));
    socket.write('PING\r\n');
    // A round trip to the same server by another way: the answer would have come in the meantime.
    await ping(other.url);
    expect(answers).toEqual([]);
    const closed = once(socket, 'close');
    await proxy.heal();
    await closed;
    expect(answers).toEqual([]);
    expect(await ping()).toBe('PONG');
  });

  it('is undisturbed again after each spec', async () => {
    await proxy.down();
    await expect(ping()).rejects.toThrow('ECONNREFUSED');
  });

  it('… as this one sees', async () => {
    expect(await ping()).toBe('PONG');
  });
});
