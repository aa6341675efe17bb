import { inspect } from 'node:util';
import { type Operation, operations } from '@core-infra/kernel';
import { availabilityOf, RedisClient, RedisModule } from '@core-infra/redis';
import { bootInfra, eventually, failure, uniqueName, useRedis, useRedisServer, useTcpProxy } from '@core-infra/testing';

/** What the channel said while `work` ran, as whoever measures sees it. */
async function heard(work: () => Promise<unknown>) {
  const messages: { event: string; message: Operation & { error?: unknown; result?: unknown } }[] = [];
  const note = (event: string) => (message: Operation) => void messages.push({ event, message: { ...message } });
  const channel = operations('redis');
  const subscriber = {
    start: note('start'),
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  };
  channel.subscribe(subscriber);
  try {
    await work().catch(() => undefined);
    await new Promise(resolve => setImmediate(resolve));
  } finally {
    channel.unsubscribe(subscriber);
  }
  return messages;
}

describe('commands', () => {
  const server = useRedis();
  const boot = (options = {}) => bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require', ...options }));

  it.each([false, true])('each is one operation, by its name alone (auto-pipelining %s)', async autoPipelining => {
    await using app = await boot({ autoPipelining });
    const client = app.get(RedisClient);
    const key = uniqueName('secret-key');
    const messages = await heard(async () => {
      await client.set(key, 'secret-value');
      await client.get(key);
      await client.pipeline().incr(`${key}:n`).ttl(key).exec();
      await client.multi().get(key).exec();
      await client.eval('return ARGV[1]', 0, 'secret-value');
      await (client as unknown as { call(...args: string[]): Promise<unknown> }).call('NOSUCH', 'secret-value');
    });
    const started = messages.filter(({ event }) => event === 'start').map(({ message }) => message);
    expect(started).toEqual(
      ['set', 'get', 'incr', 'ttl', 'multi', 'get', 'exec', 'eval', 'other'].map(operation => ({
        component: 'redis',
        connection: 'redis',
        operation,
      })),
    );
    expect(messages.filter(({ event }) => event === 'asyncEnd')).toHaveLength(9);
    const [failed] = messages.filter(({ event }) => event === 'error');
    expect(failed?.message).toMatchObject({ operation: 'other', error: { name: 'ReplyError' } });
    expect(inspect(messages, { depth: 9 })).not.toContain('secret');
  });

  it('an error has no arguments in it, wherever it is printed', async () => {
    await using app = await boot();
    const client = app.get(RedisClient);
    const key = uniqueName('k');
    await client.set(key, 'text');
    const call = (client as unknown as { call(...args: string[]): Promise<unknown> }).call.bind(client);
    const errors = [
      await failure(client.hset(key, 'field', 'top-secret')),
      await failure(call('NOSUCH', 'top-secret')),
      await failure(
        client
          .multi()
          .set(key, 'top-secret')
          .lpush(key, 'top-secret')
          .exec()
          .then(async ([, [error]]: any) => Promise.reject(error)),
      ),
    ];
    for (const error of errors) {
      expect(error.message).toMatch(/WRONGTYPE|unknown command/);
      expect(inspect(error, { depth: 9 })).not.toContain('top-secret');
      expect(JSON.stringify(error)).not.toContain('top-secret');
    }
    expect(errors[0]).toMatchObject({ name: 'ReplyError', command: { name: 'hset' } });
  });

  it('a command that takes too long is named, with its time', async () => {
    await using app = await boot({ commandTimeoutMs: 50 });
    const client = app.get(RedisClient);
    const error = await failure(client.blpop(uniqueName('never'), 1));
    expect(error).toMatchObject({ code: 'INFRA_REDIS_TIMEOUT', command: 'blpop', timeoutMs: 50, retryable: true });
    expect(error.message).toContain('redis did not answer BLPOP within 50 ms.');
  });

  it('what throws by itself is not blamed on Redis, and another error of the command comes as it is', async () => {
    await using app = await boot();
    const client = app.get(RedisClient);
    const availability = availabilityOf(client);
    await expect(availability.run(() => Promise.reject(new RangeError('mine')))).rejects.toThrow(RangeError);
    await expect(
      availability.run(() => {
        throw new RangeError('mine');
      }),
    ).rejects.toThrow(RangeError);
    const key = uniqueName('k');
    await client.set(key, 'x');
    await expect(availability.run(() => client.incr(key))).rejects.toThrow('ERR value is not an integer');
    expect(availability.isAvailable).toBe(true);
  });

  it('a process that was busy itself does not think that Redis is away', async () => {
    await using app = await boot();
    const client = app.get(RedisClient);
    const availability = availabilityOf(client);
    const answer = availability.run(() => client.ping(), 50);
    await new Promise(resolve => setImmediate(resolve));
    for (const until = performance.now() + 200; performance.now() < until;);
    expect(await answer).toBe('PONG');
    expect(availability.isAvailable).toBe(true);
  });

  it('nor does a command of its own', async () => {
    await using app = await boot({ commandTimeoutMs: 50 });
    const client = app.get(RedisClient);
    const answers = [client.ping(), client.pipeline().ping().exec()];
    await new Promise(resolve => setImmediate(resolve));
    for (const until = performance.now() + 200; performance.now() < until;);
    expect(await Promise.all(answers)).toEqual(['PONG', [[null, 'PONG']]]);
  });
});

describe('a connection that is lost with commands under way', () => {
  const server = useRedisServer();
  const proxy = useTcpProxy(() => server.url);

  it('a read is asked again, a write never is: nothing counts twice', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: proxy.url, startup: 'require' }));
    await using direct = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    const other = direct.get(RedisClient);
    await other.set('read', 'value');
    // The server is busy, so that nothing is answered before the connection is lost; what was sent is executed all the same.
    const busy = other.eval('local n = 0; for i = 1, 20000000 do n = n + 1 end; return 1', 0);
    const read = client.get('read');
    const write = failure(client.incr('counter'));
    const piped = client.pipeline().incr('piped').get('read').exec();
    await new Promise(resolve => setTimeout(resolve, 50));
    proxy.dropConnections();
    expect(await write).toMatchObject({
      code: 'INFRA_REDIS_UNAVAILABLE',
      reason: 'the connection was lost before the answer; the command may have been executed',
    });
    expect(await piped).toEqual([
      [expect.objectContaining({ code: 'INFRA_REDIS_UNAVAILABLE' }), undefined],
      [expect.objectContaining({ code: 'INFRA_REDIS_UNAVAILABLE' }), undefined],
    ]);
    await busy;
    expect(await read).toBe('value');
    await eventually(() => expect(availabilityOf(client).isAvailable).toBe(true));
    expect(Number(await other.get('counter'))).toBeLessThanOrEqual(1);
    expect(Number(await other.get('piped'))).toBeLessThanOrEqual(1);
  });

  it('maxRetries: 0 fails reads as well', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: proxy.url, startup: 'require', maxRetries: 0 }));
    const client = app.get(RedisClient);
    proxy.hang();
    const read = failure(client.get('read'));
    await new Promise(resolve => setTimeout(resolve, 20));
    await proxy.cut();
    expect(await read).toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
  });

  it('offlineQueue: commands wait for the server, up to commandTimeoutMs', async () => {
    await using app = await bootInfra(
      RedisModule.forRoot({ url: proxy.url, startup: 'require', offlineQueue: true, maxRetries: 100 }),
    );
    const client = app.get(RedisClient);
    await proxy.cut();
    await eventually(() => expect(client.status).not.toBe('ready'));
    const waits = client.set('waited', '1');
    await proxy.start();
    expect(await waits).toBe('OK');
  });
});
