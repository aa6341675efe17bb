import { once } from 'node:events';
import { Connections } from '@core-infra/kernel';
import { availabilityOf, duplicateOf, RedisClient, RedisModule } from '@core-infra/redis';
import { bootLogged, eventually, failure, uniqueName, useRedisServer, useToxiproxy } from '@core-infra/testing';

/** From the end of a fault until commands go through again, in milliseconds; on a machine that does other things as well. */
const RECOVERS_WITHIN_MS = 4_000;

describe('a network that misbehaves', () => {
  const server = useRedisServer();
  const proxy = useToxiproxy(() => server.url);

  const faults = {
    'latency 5 s': () => proxy.latency(5_000),
    reset: () => proxy.resetPeer(),
    'half-open': () => proxy.halfOpen(),
    down: () => proxy.down(),
  };

  it.each(Object.keys(faults) as (keyof typeof faults)[])(
    '%s: turned away by the first command, commands fail at once, back about a second after',
    async fault => {
      await using booted = await bootLogged(
        RedisModule.forRoot({ url: proxy.url, startup: 'require', commandTimeoutMs: 500 }),
      );
      const { app, logger } = booted;
      const client = app.get(RedisClient);
      const availability = availabilityOf(client);
      const changes: boolean[] = [];
      availability.onChange(available => changes.push(available));
      const key = uniqueName('fault');
      expect(await availability.run(() => client.set(key, '1'))).toBe('OK');

      const givenUp = once(client, 'close');
      await faults[fault]();
      const began = performance.now();
      expect(await failure(availability.run(() => client.get(key), 200))).toMatchObject({
        code: 'INFRA_REDIS_UNAVAILABLE',
      });
      expect(performance.now() - began).toBeLessThan(1_500);
      expect(availability.isAvailable).toBe(false);
      const asked = performance.now();
      for (let at = 0; at < 100; at += 1)
        expect(await failure(availability.run(() => client.get(key)))).toMatchObject({
          code: 'INFRA_REDIS_UNAVAILABLE',
        });
      // Asked one after another, and each waited for, they would take fifty seconds.
      expect(performance.now() - asked).toBeLessThan(10_000);

      // Where it hangs, the socket is given up.
      await givenUp;
      expect(availability.isAvailable).toBe(false);
      await proxy.heal();
      const healed = performance.now();
      await eventually(() => expect(availability.isAvailable).toBe(true), { intervalMs: 10 });
      const tookMs = Math.round(performance.now() - healed);
      expect(tookMs).toBeLessThan(RECOVERS_WITHIN_MS);
      expect(await availability.run(() => client.get(key))).toBe('1');
      expect(changes).toEqual([false, true]);
      expect(logger.matching(/^redis is away: /)).toHaveLength(1);
      const [back] = logger.matching(/^redis is back after \d+ ms/);
      expect(back).toMatchObject({ level: 'log', fields: { awayMs: expect.any(Number) as number } });
      process.stderr.write(`${fault}: back ${tookMs} ms after\n`);
    },
    30_000,
  );

  it('a hung ping does not stack: while everything hangs, no more than a handful wait on one socket', async () => {
    await using booted = await bootLogged(
      RedisModule.forRoot({ url: proxy.url, startup: 'require', commandTimeoutMs: 300, checkTimeoutMs: 200 }),
    );
    const client = booted.app.get(RedisClient);
    const [check] = booted.app.get(Connections).checks();
    await proxy.halfOpen();
    await failure(availabilityOf(client).run(() => client.ping(), 100));
    let most = 0;
    const until = performance.now() + 1_200;
    while (performance.now() < until) {
      // Health is asked meanwhile, and does not ask the server.
      expect(await failure(check!.run() as Promise<unknown>)).toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
      const { commandQueue } = client as unknown as { commandQueue: { length: number } };
      most = Math.max(most, commandQueue.length);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    // The first command itself, two pings; or the handshake of a new socket.
    expect(most).toBeLessThanOrEqual(8);
  });

  it('a subscription that nothing comes through is renewed, and the client’s own is as well', async () => {
    await using booted = await bootLogged(RedisModule.forRoot({ url: proxy.url, startup: 'require' }));
    const client = booted.app.get(RedisClient);
    const heard: string[] = [];
    const subscriber = duplicateOf(client);
    const channel = uniqueName('news');
    await (subscriber as unknown as { subscribe(name: string): Promise<unknown> }).subscribe(channel);
    subscriber.on('message', (_channel: string, text: string) => heard.push(text));
    await eventually(async () => {
      await client.publish(channel, 'before');
      expect(heard).toContain('before');
    });
    const renewed = [once(subscriber, 'close'), once(client, 'close')];
    await proxy.latency(60_000);
    await failure(availabilityOf(client).run(() => client.ping(), 100));
    await Promise.all(renewed);
    await proxy.heal();
    await eventually(async () => {
      await client.publish(channel, 'after');
      expect(heard).toContain('after');
    });
  }, 30_000);
});

describe('a server that dies', () => {
  const server = useRedisServer({ durable: true });

  it('kill -9 and restart: away at once, no command waits, back by itself with what was written', async () => {
    await using booted = await bootLogged(
      RedisModule.forRoot({ url: server.url, startup: 'require', commandTimeoutMs: 60_000 }),
    );
    const client = booted.app.get(RedisClient);
    const availability = availabilityOf(client);
    const key = uniqueName('kept');
    await client.set(key, 'kept');
    const blocked = failure(client.blpop(uniqueName('never'), 0));
    await server.kill('SIGKILL');
    expect(await blocked).toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
    const began = performance.now();
    await eventually(() => expect(availability.isAvailable).toBe(false));
    expect(await failure(client.get(key))).toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
    expect(await failure(availability.run(() => client.get(key)))).toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(booted.app.get(Connections).classify(await failure(client.get(key)))).toEqual({
      fault: 'dependency',
      retryable: true,
    });
    await server.start();
    await eventually(() => expect(availability.isAvailable).toBe(true));
    expect(await availability.run(() => client.get(key))).toBe('kept');
  });

  it('one that hangs (SIGSTOP) is away; what waited is rejected, and it is back once it answers', async () => {
    await using booted = await bootLogged(
      RedisModule.forRoot({ url: server.url, startup: 'require', commandTimeoutMs: 400 }),
    );
    const client = booted.app.get(RedisClient);
    const availability = availabilityOf(client);
    await server.kill('SIGSTOP');
    try {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => failure(availability.run(() => client.ping(), 200))),
      );
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['INFRA_REDIS_UNAVAILABLE']));
      expect(await failure(client.get('x'))).toMatchObject({
        code: expect.stringMatching(/INFRA_REDIS_(TIMEOUT|UNAVAILABLE)/) as string,
      });
    } finally {
      await server.kill('SIGCONT');
    }
    await eventually(() => expect(availability.isAvailable).toBe(true));
    expect(await availability.run(() => client.ping())).toBe('PONG');
  });
});
