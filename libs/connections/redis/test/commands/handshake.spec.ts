import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { duplicateOf, type Redis, RedisClient, RedisModule } from '@core-infra/redis';
import { bootInfra, eventually, failure, uniqueName, useRedis } from '@core-infra/testing';
import { BlackHole } from '../fixtures/black-hole.js';

describe('a connection that is lost during its handshake', () => {
  const server = useRedis();

  it.each([false, true])('no command is lost with it (offlineQueue %s)', async offlineQueue => {
    const sockets = new Set<Socket>();
    const mute = createServer(socket => void sockets.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    try {
      await using app = await bootInfra(
        RedisModule.forRoot({ host: '127.0.0.1', port, offlineQueue, commandTimeoutMs: offlineQueue ? 500 : 60_000 }),
      );
      const client = app.get(RedisClient);
      await eventually(() => expect(client.status).toBe('connect'), { intervalMs: 1 });
      const [published, timed] = [failure(client.publish('a', 'b')), failure(client.time())];
      for (const socket of sockets) socket.destroy();
      const code = expect.stringMatching(/^INFRA_REDIS_(UNAVAILABLE|TIMEOUT)$/) as string;
      expect(await published).toMatchObject({ code });
      expect(await timed).toMatchObject({ code });
    } finally {
      for (const socket of sockets) socket.destroy();
      mute.close();
    }
  });

  it('a subscription that was asked for meanwhile is made afterwards', async () => {
    await using hole = await BlackHole.to(server.url);
    await using app = await bootInfra(
      RedisModule.forRoot({ url: hole.url, startup: 'require', connectTimeoutMs: 300 }),
    );
    const client = app.get(RedisClient);
    hole.lost = true;
    const subscriber = duplicateOf(client) as unknown as Redis;
    await eventually(() => expect(subscriber.status).toBe('connect'), { intervalMs: 1 });
    const heard: string[] = [];
    const channel = uniqueName('news');
    subscriber.on('message', (_channel, text) => heard.push(text));
    const subscribed = subscriber.subscribe(channel);
    await once(subscriber, 'close');
    hole.lost = false;
    expect(await subscribed).toBe(1);
    await using direct = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    await direct.get(RedisClient).publish(channel, 'one');
    await eventually(() => expect(heard).toEqual(['one']));
  });
});
