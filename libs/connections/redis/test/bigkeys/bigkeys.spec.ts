import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { type CliContext, ConnectionConfig, connectionToken, defineConcern } from '@core-infra/kernel';
import { bigKeys, prefixedClient, RedisClient, RedisModule } from '@core-infra/redis';
import { commands } from '@core-infra/redis/cli';
import { bootInfra, useRedisServer } from '@core-infra/testing';

class StoreConfig extends ConnectionConfig {
  override driver = 'plain';
}

/** Runs the command line as `core-infra` does. */
async function run(options: CliContext['options'], AppModule?: unknown) {
  const ran: { code?: unknown; rows: readonly Record<string, unknown>[]; notes: string[] } = { rows: [], notes: [] };
  const [command] = commands;
  const boot = () => NestFactory.createApplicationContext(AppModule as never, { logger: false, abortOnError: false });
  const inspect = async () => {
    const app = await NestFactory.createApplicationContext(AppModule as never, { logger: false, preview: true });
    return app.get(ModulesContainer);
  };
  ran.code = await command!.run({
    args: {},
    options,
    signal: new AbortController().signal,
    app: { boot, inspect },
    output: {
      rows: rows => void (ran.rows = rows),
      text: () => undefined,
      json: () => undefined,
      note: text => void ran.notes.push(text),
    },
  });
  return ran;
}

describe('core-infra redis bigkeys', () => {
  const server = useRedisServer();
  const node = useRedisServer({ args: ['--cluster-enabled', 'yes'] });

  beforeAll(async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    const many = client.pipeline();
    for (let at = 0; at < 1_000; at += 1) many.set(`small:${at}`, 'x');
    await many.exec();
    await client.set('big:text', 'x'.repeat(50_000), 'PX', 600_000);
    await client.rpush('big:list', ...Array.from({ length: 500 }, () => 'x'.repeat(60)));
    await client.hset('big:hash', { a: 'x'.repeat(5_000) });
  });

  it('the biggest first, with type, bytes, length and time to live; without KEYS', async () => {
    const { rows } = await run({ url: server.url, limit: '3' });
    expect(rows).toEqual([
      {
        key: 'big:text',
        type: 'string',
        bytes: expect.any(Number) as number,
        length: 50_000,
        ttlMs: expect.any(Number) as number,
      },
      { key: 'big:list', type: 'list', bytes: expect.any(Number) as number, length: 500, ttlMs: '' },
      { key: 'big:hash', type: 'hash', bytes: expect.any(Number) as number, length: 1, ttlMs: '' },
    ]);
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const stats = String(await app.get(RedisClient).info('commandstats'));
    expect(stats).not.toContain('cmdstat_keys:');
    expect(Number(/cmdstat_scan:calls=(\d+)/.exec(stats)?.[1])).toBeGreaterThanOrEqual(10);
  });

  it('--match, --samples; a command line that makes no sense ends with 2, and says why', async () => {
    expect((await run({ url: server.url, match: 'big:h*', samples: '0' })).rows).toMatchObject([{ key: 'big:hash' }]);
    for (const [options, why] of [
      [{ url: server.url, limit: 'many' }, /"many" is no number for --limit/],
      [{ url: server.url, samples: '-1' }, /"-1" is no number for --samples/],
      [{ url: server.url, connection: 'sessions' }, /--url and --connection are given together/],
      [{ cluster: true }, /--cluster is given without --url/],
    ] as const) {
      const { code, notes, rows } = await run(options);
      expect({ code, rows }).toEqual({ code: 2, rows: [] });
      expect(notes[0]).toMatch(why);
      expect(notes[0]).toContain('INFRA_REDIS_COMMAND_LINE');
    }
  });

  it('by the app’s configuration: of the app nothing but that connection is opened', async () => {
    const made: string[] = [];
    abstract class Store {}
    const open = () => {
      made.push('store');
      return Promise.reject(new Error('nobody is there'));
    };
    const store = defineConcern({ name: 'store', port: Store, config: StoreConfig, drivers: { plain: open } });
    @Injectable()
    class Service implements OnModuleInit {
      constructor(readonly other: Store) {
        made.push('service');
      }
      onModuleInit() {
        made.push('hook');
      }
    }
    @Module({
      imports: [
        store.ConcernModule.forRoot({}),
        RedisModule.forRoot({ url: 'redis://127.0.0.1:1' }),
        RedisModule.forRoot({ name: 'sessions', url: server.url, namespace: 'big:' }),
      ],
      providers: [Service],
    })
    class AppModule {}
    const { code, rows } = await run({ connection: 'sessions', limit: '2' }, AppModule);
    expect(code).toBe(0);
    // Of the whole server, by their whole names, whatever the connection’s own prefix is.
    expect(rows).toMatchObject([{ key: 'big:text', type: 'string', length: 50_000 }, { key: 'big:list' }]);
    expect((await run({ connection: 'sessions', match: 'small:7' }, AppModule)).rows).toMatchObject([{ length: 1 }]);
    expect(made).toEqual([]);
    const { code: unknown, notes } = await run({ connection: 'other' }, AppModule);
    expect(unknown).toBe(2);
    expect(notes[0]).toMatch(/registers no redis connection "other"/);
  });

  it.each(['require', 'background'] as const)(
    'an app whose Redis is away (startup %s): why, and a fix',
    async startup => {
      @Module({ imports: [RedisModule.forRoot({ url: 'redis://127.0.0.1:1', startup, connectTimeoutMs: 300 })] })
      class AppModule {}
      await expect(run({}, AppModule)).rejects.toMatchObject({
        code: 'INFRA_CONNECT_FAILED',
        problem: expect.stringMatching(/^redis at 127\.0\.0\.1:1\/0 could not be opened: .*ECONNREFUSED/) as string,
        fix: expect.stringMatching(/^Start the server/) as string,
      });
    },
  );

  it('a wrong password, and nobody there, by --url', async () => {
    await expect(run({ url: server.urlFor('default', 'nope') })).rejects.toMatchObject({ code: 'INFRA_REDIS_LOGIN' });
    await expect(run({ url: 'redis://127.0.0.1:1' })).rejects.toMatchObject({ code: 'INFRA_CONNECT_FAILED' });
  });

  it('a node of a cluster by --url, without --cluster, is said to be one', async () => {
    const { code, notes } = await run({ url: node.url });
    expect({ code, notes }).toEqual({
      code: 0,
      notes: ['This is one node of a cluster: with --cluster all are asked.'],
    });
    expect((await run({ url: server.url })).notes).toEqual([]);
  });

  it('from code, with a prefix: names are counted from it', async () => {
    const Prefixed = RedisModule.forFeature({ keyPrefix: 'b*g:' });
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, namespace: 'ns:', startup: 'require' }), {
      module: class PrefixedModule {},
      imports: [Prefixed],
      exports: [Prefixed],
    });
    const client = prefixedClient(app.get<RedisClient>(connectionToken('redis')), 'b*g:');
    await client.set('one', 'x'.repeat(2_000), 'PX', 60_000);
    expect(await bigKeys(client)).toEqual([
      {
        key: 'one',
        type: 'string',
        bytes: expect.any(Number) as number,
        length: 2_000,
        ttlMs: expect.any(Number) as number,
      },
    ]);
  });
});
