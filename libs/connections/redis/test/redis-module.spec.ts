import { Injectable, Module } from '@nestjs/common';
import { Connections, connectionToken } from '@core-infra/kernel';
import {
  availabilityOf,
  Cluster,
  getRedisToken,
  InjectRedis,
  keyPrefixOf,
  Redis,
  RedisClient,
  RedisModule,
  scanKeys,
  WrongRedisClientError,
} from '@core-infra/redis';
import { bootInfra, eventually, uniqueName, useRedis } from '@core-infra/testing';

/** The default connection itself: `app.get(RedisClient)` may find a feature’s binding. */
const defaultToken = connectionToken<RedisClient>('redis');

describe('RedisModule', () => {
  const server = useRedis();

  it('injects RedisClient, and ioredis’s Redis as the same object', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    const key = uniqueName('plain');
    expect(await client.set(key, 'one')).toBe('OK');
    expect(await app.get(Redis).get(key)).toBe('one');
    expect(app.get<unknown>(Redis)).toBe(client);
    expect(client).toBeInstanceOf(Redis);
    expect(availabilityOf(client).isAvailable).toBe(true);
  });

  it('Cluster with a driver that opens none: harmless until it is used, then an error that says so', async () => {
    @Injectable()
    class Uses {
      constructor(readonly cluster: Cluster) {}
    }
    @Module({ providers: [Uses], exports: [Uses] })
    class UsesModule {}
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url }), UsesModule);
    const { cluster } = app.get(Uses);
    expect(() => cluster.get('x')).toThrow(WrongRedisClientError);
    expect(() => cluster.nodes()).toThrow(/Cluster of ioredis is injected.*Inject RedisClient/);
  });

  it('named connections: by @InjectRedis, by forFeature, each with its own database', async () => {
    @Injectable()
    class Sessions {
      constructor(
        readonly plain: RedisClient,
        @InjectRedis('sessions') readonly named: RedisClient,
        readonly native: Redis,
      ) {}
    }
    @Module({ imports: [RedisModule.forFeature('sessions')], providers: [Sessions], exports: [Sessions] })
    class SessionsModule {}
    await using app = await bootInfra(
      RedisModule.forRoot({ url: server.url, startup: 'require' }),
      RedisModule.forRoot({ name: 'sessions', url: server.url, db: 3, startup: 'require' }),
      SessionsModule,
    );
    const { plain, named, native } = app.get(Sessions);
    expect(plain).toBe(named);
    expect(native).toBe(named);
    expect(app.get(getRedisToken('sessions'))).toBe(named);
    const key = uniqueName('named');
    await named.set(key, '1');
    expect(await app.get(defaultToken).exists(key)).toBe(0);
    expect(app.get(Connections).list()).toMatchObject([
      { id: 'redis', address: `${server.host}:${server.port}/0`, state: 'open', critical: false },
      { id: 'redis:sessions', address: `${server.host}:${server.port}/3` },
    ]);
  });

  it('two apps in one process, each closes its own', async () => {
    const first = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    await using second = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const closed = first.get(RedisClient);
    await first.close();
    expect(closed.status).toBe('end');
    await expect(closed.ping()).rejects.toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
    expect(await second.get(RedisClient).ping()).toBe('PONG');
  });

  it('a command under way at the shutdown ends', async () => {
    const app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    const key = uniqueName('slow');
    const slow = client.eval(
      'local n = 0; for i = 1, 3000000 do n = n + 1 end; return redis.call("INCR", KEYS[1])',
      1,
      key,
    );
    const other = client.incr(key);
    await app.close();
    expect(await Promise.all([slow, other])).toEqual([1, 2]);
  });

  describe('with a prefix', () => {
    const prefixes = async (namespace: string, keyPrefix: string) => {
      @Injectable()
      class Orders {
        constructor(
          readonly redis: RedisClient,
          readonly native: Redis,
        ) {}
      }
      @Module({ imports: [RedisModule.forFeature({ keyPrefix })], providers: [Orders], exports: [Orders] })
      class OrdersModule {}
      const app = await bootInfra(
        RedisModule.forRoot({ url: server.url, namespace, startup: 'require' }),
        OrdersModule,
      );
      return { app, orders: app.get(Orders) };
    };

    it.each([false, true])('commands, pipelines, transactions, scans (auto-pipelining %s)', async autoPipelining => {
      const space = `${uniqueName('a*b')}:`;
      @Injectable()
      class Orders {
        constructor(readonly redis: RedisClient) {}
      }
      @Module({ imports: [RedisModule.forFeature({ keyPrefix: 'orders:' })], providers: [Orders], exports: [Orders] })
      class OrdersModule {}
      await using app = await bootInfra(
        RedisModule.forRoot({ url: server.url, namespace: space, autoPipelining, startup: 'require' }),
        RedisModule.forRoot({ name: 'raw', url: server.url, startup: 'require' }),
        OrdersModule,
      );
      const orders = app.get(Orders).redis;
      const whole = app.get(defaultToken);
      const raw = app.get<RedisClient>(getRedisToken('raw'));
      expect(keyPrefixOf(orders)).toBe(`${space}orders:`);

      await Promise.all([orders.set('1', 'a'), whole.set('1', 'top'), orders.mset('2', 'b', '3', 'c')]);
      await orders.pipeline().set('4', 'd').set('5', 'e').exec();
      await orders.multi().set('6', 'f').incr('n').exec();
      expect(await raw.get(`${space}orders:6`)).toBe('f');
      expect(await raw.get(`${space}1`)).toBe('top');
      expect(await orders.mget('1', '2', '4', 'n')).toEqual(['a', 'b', 'd', '1']);
      expect((await orders.keys('*')).sort()).toEqual(['1', '2', '3', '4', '5', '6', 'n']);
      expect((await whole.keys('orders:[12]')).sort()).toEqual(['orders:1', 'orders:2']);

      const scanned: string[] = [];
      for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
        const [next, keys] = await orders.scan(cursor, 'COUNT', 1_000);
        scanned.push(...keys);
        cursor = next;
      }
      expect(scanned.sort()).toEqual(['1', '2', '3', '4', '5', '6', 'n']);
      const paged: string[] = [];
      for await (const keys of scanKeys(orders, { match: '[1-3]' })) paged.push(...keys);
      expect(paged.sort()).toEqual(['1', '2', '3']);
      // Their key stands behind a subcommand.
      await orders.xgroup('CREATE', 'stream', 'g', '$', 'MKSTREAM');
      expect(await raw.exists(`${space}orders:stream`)).toBe(1);
      expect(await orders.xinfo('GROUPS', 'stream')).toHaveLength(1);
      expect(await orders.object('ENCODING', '1')).toBe('embstr');
      expect(await orders.pipeline().memory('USAGE', '1').exec()).toEqual([[null, expect.any(Number)]]);
      expect(await whole.memory('USAGE', 'orders:1')).toBeGreaterThan(0);
      expect(await orders.unlink(...scanned, 'stream')).toBe(8);
      expect(await whole.keys('*')).toEqual(['1']);
      expect(availabilityOf(orders)).toBe(availabilityOf(whole));
    });

    it('is the same for the injected Redis; events and status are the connection’s', async () => {
      const space = `${uniqueName('n')}:`;
      const { app, orders } = await prefixes(space, 'p:');
      await using _closed = app;
      await orders.native.set('x', '1');
      expect(await orders.redis.get('x')).toBe('1');
      expect(orders.native).toBeInstanceOf(Redis);
      expect(orders.redis.status).toBe('ready');
    });

    it('two prefixes of one connection in one module are refused', async () => {
      @Module({ imports: [RedisModule.forFeature({ keyPrefix: 'a:' }), RedisModule.forFeature({ keyPrefix: 'b:' })] })
      class TwoModule {}
      await expect(bootInfra(RedisModule.forRoot({ url: server.url }), TwoModule)).rejects.toMatchObject({
        code: 'INFRA_DUPLICATE_FEATURE',
      });
    });
  });

  it('starts in the background by default: a boot without a server, commands that fail at once', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 60_000 }));
    const began = performance.now();
    await expect(app.get(RedisClient).get('x')).rejects.toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
    await expect(availabilityOf(app.get(RedisClient)).run(() => Promise.resolve(1))).rejects.toMatchObject({
      code: 'INFRA_REDIS_UNAVAILABLE',
    });
    expect(performance.now() - began).toBeLessThan(1_000);
    await eventually(() =>
      expect(app.get(RedisClient).get('x')).rejects.toThrow('redis is away: connect ECONNREFUSED 127.0.0.1:1.'),
    );
  });
});
