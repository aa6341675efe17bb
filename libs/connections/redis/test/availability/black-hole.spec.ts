import { once } from 'node:events';
import { availabilityOf, duplicateOf, type Redis, RedisClient, RedisModule } from '@core-infra/redis';
import { bootInfra, eventually, failure, uniqueName, useRedis } from '@core-infra/testing';
import { BlackHole } from '../fixtures/black-hole.js';

describe('a network that forgets connections and closes none', () => {
  const server = useRedis();

  it('sockets are given up: commands, a subscription and a blocking command are back by themselves', async () => {
    await using hole = await BlackHole.to(server.url);
    await using app = await bootInfra(RedisModule.forRoot({ url: hole.url, startup: 'require' }));
    await using direct = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    const other = direct.get(RedisClient);
    const availability = availabilityOf(client);
    const [channel, list] = [uniqueName('news'), uniqueName('list')];
    const heard: string[] = [];
    const subscriber = duplicateOf(client) as unknown as Redis;
    subscriber.on('message', (_channel, text) => heard.push(text));
    await subscriber.subscribe(channel);
    const taken = duplicateOf(client).blpop(list, 0);
    await eventually(async () => expect(await other.client('LIST')).toMatch(/cmd=blpop/));

    const givenUp = Promise.all([once(client, 'close'), once(subscriber, 'close')]);
    hole.lost = true;
    expect(await failure(availability.run(() => client.ping(), 100))).toMatchObject({
      code: 'INFRA_REDIS_UNAVAILABLE',
    });
    // The sockets are given up, and attempts to connect hang when it ends.
    await givenUp;
    await eventually(() => expect([client.status, subscriber.status]).toEqual(['connect', 'connect']), {
      intervalMs: 1,
    });
    expect(availability.isAvailable).toBe(false);
    hole.lost = false;
    const healed = performance.now();
    await eventually(() => expect(availability.isAvailable).toBe(true), { intervalMs: 10 });
    const tookMs = performance.now() - healed;
    expect(tookMs).toBeLessThan(3_000);
    expect(await availability.run(() => client.ping())).toBe('PONG');
    await eventually(async () => {
      await other.publish(channel, 'again');
      expect(heard).toContain('again');
    });
    await eventually(async () => expect(await other.client('LIST')).toMatch(/cmd=blpop/));
    await other.rpush(list, 'job');
    expect(await taken).toEqual([list, 'job']);
    process.stderr.write(`black hole: back ${Math.round(tookMs)} ms after\n`);
  }, 30_000);
});
