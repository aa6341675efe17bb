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
import { bootLogged, eventually, failure, uniqueName, useRedisCluster } from '@core-infra/testing';

const move = luaScript({
  name: 'move',
  keys: 2,
  source: `local n = redis.call('INCR', KEYS[1]); redis.call('SET', KEYS[2], n); return n`,
  parse: Number,
});

const look = luaScript({ name: 'look', keys: 1, readOnly: true, source: `return redis.call('GET', KEYS[1])` });
const emptyCalls = () => ({ get: 0, eval: 0, evalsha: 0 });

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
    expect(await bigKeys(client, { match: 'b*', limit: 1 })).toEqual([
      { key: 'big', type: 'string', bytes: expect.any(Number) as number, length: 100_000, ttlMs: undefined },
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

  it('scaleReads: replicas answer what only reads, scripts too; what writes goes to masters', async () => {
    const names = Array.from({ length: 30 }, () => uniqueName('scaled'));
    const direct = servers.urls.map(url => new Redis(url));
    try {
      // A replica is named to clients once the others have heard how far it is.
      await eventually(async () => {
        const views = await Promise.all(direct.map(node => node.cluster('SLOTS') as Promise<unknown[][]>));
        for (const [, , , ...replicas] of views.flat()) expect(replicas).toHaveLength(1);
      });
      await using booted = await bootLogged(
        RedisModule.forRoot({ ...options(), cluster: { ...options().cluster, scaleReads: 'slave' } }),
      );
      const client = booted.app.get(RedisClient);
      await Promise.all(direct.map(node => node.config('RESETSTAT')));
      await Promise.all(names.map(name => client.set(name, name)));
      // A replica may be behind, and that is what is asked for.
      await eventually(async () => expect(await Promise.all(names.map(name => client.get(name)))).toEqual(names));
      expect(await Promise.all(names.map(name => look.run(client, [name])))).toEqual(names);
      const calls = { master: emptyCalls(), slave: emptyCalls() };
      for (const node of direct) {
        const stats = `${await node.info('replication')}${await node.info('commandstats')}`;
        const role = /role:(\w+)/.exec(stats)![1] as keyof typeof calls;
        for (const name of ['get', 'evalsha', 'eval'] as const)
          calls[role][name] += Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
      }
      expect(calls.master).toEqual(emptyCalls());
      // What a script calls counts as well.
      expect(calls.slave.get).toBeGreaterThanOrEqual(2 * names.length);
      expect(calls.slave.eval + calls.slave.evalsha).toBeGreaterThanOrEqual(names.length);
    } finally {
      for (const node of direct) node.disconnect();
    }
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
  }, 60_000);
});

describe('a cluster that has lost a master for good', () => {
  const servers = useRedisCluster({ replicasPerMaster: 0, args: ['--cluster-require-full-coverage', 'no'] });

  it('says how many slots are not served, and serves the others; with full coverage it is away as a whole', async () => {
    await using booted = await bootLogged(
      RedisModule.forRoot({
        driver: 'cluster',
        startup: 'require',
        password: servers.password,
        cluster: { nodes: servers.nodes.map(({ host, port }) => `${host}:${port}`) },
        commandTimeoutMs: 500,
      }),
    );
    const client = booted.app.get(RedisClient);
    const availability = availabilityOf(client);
    const [check] = booted.app.get(Connections).checks();
    const killed = await servers.killMaster('lost');
    const left = servers.nodes.filter(({ port }) => port !== killed);
    const kept = (
      await Promise.all(
        Array.from({ length: 50 }, async (_, at) => ((await servers.masterOf(`k${at}`)) === killed ? [] : [`k${at}`])),
      )
    ).flat();
    await eventually(async () => {
      const result = await check!.run();
      expect(result).toMatchObject({ state: 'ok', slotsFailing: 16_384 - Number(result!.slotsCovered), masters: 3 });
      expect(result!.degraded).toMatch(/(?:^|; )54\d\d of 16384 slots are not served$/);
    });
    expect(await client.set(kept[0]!, 'v')).toBe('OK');

    for (const { url } of left) {
      const node = new Redis(url);
      await node.config('SET', 'cluster-require-full-coverage', 'yes');
      node.disconnect();
    }
    await eventually(async () => {
      const refusal = await failure(availability.run(() => client.get(kept[0]!)));
      expect([refusal.code, refusal.message]).toEqual([
        'INFRA_REDIS_UNAVAILABLE',
        expect.stringMatching(/CLUSTERDOWN/),
      ]);
      await expect(check!.run()).rejects.toThrow(/^redis is away: CLUSTERDOWN/);
    });
    await servers.start(killed);
    await eventually(() => expect(availability.isAvailable).toBe(true), { timeoutMs: 20_000 });
    expect((await check!.run())!.degraded).toBeUndefined();
  }, 60_000);
});
