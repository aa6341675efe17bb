import { Connections, connectionToken } from '@core-infra/kernel';
import { Module } from '@nestjs/common';
import {
  availabilityOf,
  bigKeys,
  Cluster,
  duplicateOf,
  luaScript,
  Redis,
  RedisClient,
  RedisModule,
  type RedisOptions,
  scanKeys,
  WrongRedisClientError,
} from '@core-infra/redis';
import { eventually, uniqueName, useRedisCluster } from '@core-infra/testing';
import { bootLogged } from '../fixtures/boot-logged.js';

const move = luaScript({
  name: 'move',
  keys: 2,
  source: `local n = redis.call('INCR', KEYS[1]); redis.call('SET', KEYS[2], n); return n`,
  parse: Number,
});

describe('the cluster driver', () => {
  const servers = useRedisCluster();
  const options = (): RedisOptions => ({
    driver: 'cluster',
    startup: 'require',
    password: servers.password,
    cluster: { nodes: servers.nodes.slice(0, 2).map(({ host, port }) => `${host}:${port}`) },
  });

  it('serves every key; Cluster is bound, Redis is not; scripts, pipelines and prefixes work', async () => {
    @Module({
      imports: [RedisModule.forFeature({ keyPrefix: 'view:' })],
      providers: [{ provide: 'view', useExisting: RedisClient }],
      exports: ['view'],
    })
    class ViewModule {}
    const space = `${uniqueName('ns')}:`;
    await using booted = await bootLogged(RedisModule.forRoot({ ...options(), namespace: space }), {
      module: ViewModule,
    });
    const { app } = booted;
    const client = app.get<RedisClient>(connectionToken('redis'));
    const view = app.get<RedisClient>('view');
    expect(client).toBeInstanceOf(Cluster);
    expect(() => app.get(Redis).get('x')).toThrow(WrongRedisClientError);
    const names = Array.from({ length: 100 }, (_, at) => `key-${at}`);
    await Promise.all(names.map(name => view.set(name, name)));
    expect(await Promise.all(names.map(name => client.get(`view:${name}`)))).toEqual(names);
    expect(await view.pipeline().set('{p}a', 'v').incr('{p}n').exec()).toEqual([
      [null, 'OK'],
      [null, 1],
    ]);
    expect(await view.multi().incr('{t}a').incr('{t}b').exec()).toEqual([
      [null, 1],
      [null, 1],
    ]);
    expect(await move.run(view, ['{s}a', '{s}b'])).toBe(1);
    expect(await client.get('view:{s}b')).toBe('1');
    const piped = view.pipeline();
    move.add(piped, view, ['{s}a', '{s}b']);
    expect(await piped.exec()).toEqual([[null, 2]]);
    const scanned = new Set<string>();
    for await (const keys of scanKeys(view, { match: 'key-*' })) for (const key of keys) scanned.add(key);
    expect([...scanned].sort()).toEqual([...names].sort());
    await client.set('big', 'x'.repeat(100_000));
    expect(await bigKeys(app.get(Cluster), { match: `${space}*`, limit: 1 })).toEqual([
      { key: `${space}big`, type: 'string', bytes: expect.any(Number) as number, length: 100_000, ttlMs: undefined },
    ]);
    const [check] = app.get(Connections).checks();
    expect(await check!.run()).toMatchObject({
      state: 'ok',
      slotsCovered: 16_384,
      slotsFailing: 0,
      masters: 3,
      nodes: 6,
    });
    expect((await check!.run())!.degraded).toBeUndefined();
  });

  it('auto-pipelining, by view and by node', async () => {
    await using booted = await bootLogged(RedisModule.forRoot({ ...options(), autoPipelining: true }));
    const client = booted.app.get(RedisClient);
    const names = Array.from({ length: 50 }, () => uniqueName('auto'));
    await Promise.all(names.map(name => client.set(name, name)));
    expect(await Promise.all(names.map(name => client.get(name)))).toEqual(names);
  });

  it('a subscription of a duplicate', async () => {
    await using booted = await bootLogged(RedisModule.forRoot(options()));
    const client = booted.app.get(RedisClient);
    const copy = duplicateOf(client);
    const heard: string[] = [];
    const channel = uniqueName('news');
    await (copy as unknown as Cluster).subscribe(channel);
    copy.on('message', (_channel: string, text: string) => heard.push(text));
    await eventually(async () => {
      await client.publish(channel, 'one');
      expect(heard).toContain('one');
    });
    const list = uniqueName('list');
    const taken = copy.blpop(list, 0);
    await client.rpush(list, 'job');
    expect(await taken).toEqual([list, 'job']);
  });

  it('a master is killed: degraded or away, never hanging; writes recover by themselves and nothing counts twice', async () => {
    await using booted = await bootLogged(
      RedisModule.forRoot({ ...options(), commandTimeoutMs: 1_000, checkTimeoutMs: 900 }),
    );
    const client = booted.app.get(RedisClient);
    const availability = availabilityOf(client);
    const key = uniqueName('survivor');
    await client.set(key, '0');
    await client.wait(1, 1_000).catch(() => undefined);
    const killed = await servers.killMaster(key);
    let acknowledged = 0;
    let failed = 0;
    let slowest = 0;
    const attempt = async () => {
      const began = performance.now();
      try {
        await availability.run(() => client.incr(key));
        acknowledged += 1;
      } catch {
        failed += 1;
      }
      slowest = Math.max(slowest, performance.now() - began);
    };
    const until = performance.now() + 15_000;
    while (acknowledged < 20 && performance.now() < until) {
      await attempt();
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    expect(acknowledged).toBe(20);
    expect(failed).toBeGreaterThan(0);
    expect(slowest).toBeLessThan(2_500);
    expect(Number(await client.get(key))).toBe(20);
    expect(availability.isAvailable).toBe(true);
    expect(booted.logger.matching(/^redis is away: /).length).toBeGreaterThan(0);
    const [check] = booted.app.get(Connections).checks();
    await eventually(async () => expect(await check!.run()).toMatchObject({ slotsCovered: 16_384, state: 'ok' }));
    await servers.start(killed);
    await servers.settled();
  }, 60_000);

  it('a master that hangs is given up, and its replica is followed', async () => {
    await using booted = await bootLogged(RedisModule.forRoot({ ...options(), commandTimeoutMs: 500 }));
    const client = booted.app.get(RedisClient);
    const availability = availabilityOf(client);
    const key = uniqueName('survivor');
    await client.set(key, 'x');
    await eventually(async () => expect(await client.wait(1, 100)).toBeGreaterThanOrEqual(0));
    const port = await servers.masterOf(key);
    await servers.kill(port, 'SIGSTOP');
    try {
      await eventually(
        async () => {
          expect(await availability.run(() => client.set(key, 'y'))).toBe('OK');
        },
        { timeoutMs: 15_000 },
      );
      expect(await servers.masterOf(key)).not.toBe(port);
    } finally {
      await servers.kill(port, 'SIGCONT');
    }
    await servers.settled();
  }, 60_000);
});
