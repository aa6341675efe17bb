import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import type { CliContext } from '@core-infra/kernel';
import { RedisClient, RedisModule } from '@core-infra/redis';
import { commands } from '@core-infra/redis/cli';
import { bootInfra, useRedisServer } from '@core-infra/testing';

async function run(options: CliContext['options'], AppModule?: unknown) {
  const ran: { rows: readonly Record<string, unknown>[]; notes: string[] } = { rows: [], notes: [] };
  const [command] = commands;
  const boot = () => NestFactory.createApplicationContext(AppModule as never, { logger: false, abortOnError: false });
  const inspect = async () => {
    const app = await NestFactory.createApplicationContext(AppModule as never, { logger: false, preview: true });
    return app.get(ModulesContainer);
  };
  await command!.run({
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

  it('--match, --samples; numbers that are none are refused', async () => {
    expect((await run({ url: server.url, match: 'big:h*', samples: '0' })).rows).toMatchObject([{ key: 'big:hash' }]);
    await expect(run({ url: server.url, limit: 'many' })).rejects.toMatchObject({ code: 'INFRA_REDIS_COMMAND_LINE' });
  });

  it('by the app’s configuration, without booting the rest of it', async () => {
    let started = false;
    @Injectable()
    class Service implements OnModuleInit {
      onModuleInit() {
        started = true;
      }
    }
    @Module({
      imports: [
        RedisModule.forRoot({ url: 'redis://127.0.0.1:1' }),
        RedisModule.forRoot({ name: 'sessions', url: server.url }),
      ],
      providers: [Service],
    })
    class AppModule {}
    expect((await run({ connection: 'sessions', limit: '1' }, AppModule)).rows).toMatchObject([{ key: 'big:text' }]);
    expect(started).toBe(false);
    await expect(run({ connection: 'other' }, AppModule)).rejects.toThrow(/registers no redis connection "other"/);
    await expect(run({}, AppModule)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('a wrong password is told', async () => {
    await expect(run({ url: server.urlFor('default', 'nope') })).rejects.toMatchObject({ code: 'INFRA_REDIS_LOGIN' });
  });
});
