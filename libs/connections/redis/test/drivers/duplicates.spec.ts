import { connectionToken } from '@core-infra/kernel';
import { Module } from '@nestjs/common';
import { duplicateOf, Redis, RedisClient, RedisModule } from '@core-infra/redis';
import { bootInfra, bootLogged, eventually, uniqueName, useRedisServer } from '@core-infra/testing';
import { Redis as Foreign } from 'ioredis';

describe('duplicateOf', () => {
  const server = useRedisServer();

  it('blocks for longer than commandTimeoutMs, beside the connection’s own commands', async () => {
    await using app = await bootInfra(
      RedisModule.forRoot({ url: server.url, startup: 'require', commandTimeoutMs: 100 }),
    );
    const client = app.get(RedisClient);
    const list = uniqueName('list');
    const copy = duplicateOf(client);
    const taken = copy.blpop(list, 0);
    await new Promise(resolve => setTimeout(resolve, 400));
    await client.rpush(list, 'job');
    expect(await taken).toEqual([list, 'job']);
  });

  it('subscribes before it is connected, and again after a restart; errors are told once, not swallowed', async () => {
    await using booted = await bootLogged(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = booted.app.get(RedisClient);
    const copy = duplicateOf(client) as unknown as Redis;
    const channel = uniqueName('news');
    const heard: string[] = [];
    copy.on('message', (_channel, text) => heard.push(text));
    expect(await copy.subscribe(channel)).toBe(1);
    await client.publish(channel, 'one');
    await eventually(() => expect(heard).toEqual(['one']));
    await server.stop();
    await eventually(() =>
      expect(booted.logger.matching(/a further connection is away: connect ECONNREFUSED/)).toHaveLength(1),
    );
    await server.start();
    await eventually(async () => {
      await client.publish(channel, 'two');
      expect(heard).toContain('two');
    });
    expect(booted.logger.matching(/a further connection is (away|back)/).map(({ level }) => level)).toEqual([
      'warn',
      'log',
    ]);
  });

  it('has the prefix of the view that it came from, and is closed with the connection', async () => {
    @Module({
      imports: [RedisModule.forFeature({ keyPrefix: 'jobs:' })],
      providers: [{ provide: 'view', useExisting: RedisClient }],
      exports: ['view'],
    })
    class ViewModule {}
    const app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }), ViewModule);
    const copy = duplicateOf(app.get<RedisClient>('view'));
    const list = uniqueName('list');
    await copy.rpush(list, 'x');
    expect(await app.get<RedisClient>(connectionToken('redis')).lrange(`jobs:${list}`, 0, -1)).toEqual(['x']);
    const pid = await copy.client('ID');
    await app.close();
    await eventually(() => expect(copy.status).toBe('end'));
    await using other = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    await eventually(async () =>
      expect(String(await other.get(RedisClient).client('LIST'))).not.toContain(`id=${String(pid)} `),
    );
  });

  it('one of ioredis’s own making is closed with the connection too', async () => {
    const app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const copy = app.get(Redis).duplicate();
    expect(await eventually(() => copy.ping())).toBe('PONG');
    await app.close();
    await eventually(() => expect(copy.status).toBe('end'));
  });

  it('a client that RedisModule did not open is refused', () => {
    const foreign = new Foreign({ lazyConnect: true });
    expect(() => duplicateOf(foreign as unknown as RedisClient)).toThrow(/was not opened by RedisModule/);
  });
});
