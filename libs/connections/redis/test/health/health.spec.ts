import { type CheckResult, Connections } from '@core-infra/kernel';
import { RedisClient, RedisModule, type RedisOptions } from '@core-infra/redis';
import { bootInfra, eventually, useRedisServer } from '@core-infra/testing';
import { parseInfo } from '../../src/health/info.js';
import { serverState } from '../../src/health/server-state.js';

const check = async (options: RedisOptions) => {
  await using app = await bootInfra(RedisModule.forRoot({ startup: 'require', ...options }));
  const [own] = app.get(Connections).checks();
  const result: CheckResult = { name: own!.name, critical: own!.critical, ...(await own!.run()) };
  return result;
};

describe('health of a server', () => {
  const server = useRedisServer({
    args: ['--maxmemory', '8mb', '--maxmemory-policy', 'noeviction', '--enable-protected-configs', 'yes'],
  });

  it('role, memory, policy, evictions, persistence, replication', async () => {
    expect(await check({ url: server.url })).toEqual({
      name: 'redis',
      critical: false,
      latencyMs: expect.any(Number) as number,
      version: expect.stringMatching(/^\d+\.\d+/) as string,
      role: 'master',
      connectedClients: 1,
      memory: {
        usedBytes: expect.any(Number) as number,
        maxBytes: 8 * 1_024 ** 2,
        ratio: expect.any(Number) as number,
        policy: 'noeviction',
        evictedKeys: 0,
      },
      persistence: {
        as: 'cache',
        aof: false,
        lastSaveAt: expect.stringMatching(/^20\d\d-/) as string,
        changesSinceLastSave: expect.any(Number) as number,
      },
      replication: { replicas: [] },
    });
  });

  it('memory that fills up with noeviction is degraded', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    await client.setrange('big', 4_500_000, 'x');
    expect((await check({ url: server.url, health: { memoryRatio: 0.5 } })).degraded).toMatch(
      /^\d+ % of maxmemory in use, and with noeviction writes are refused at 100 %$/,
    );
    await client.del('big');
  });

  it('a replica whose master has gone is degraded', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    await client.replicaof('127.0.0.1', 1);
    await eventually(async () =>
      expect(await check({ url: server.url })).toMatchObject({
        role: 'slave',
        degraded: 'this replica has lost its master',
        replication: { link: 'down', readOnly: true },
      }),
    );
    await client.replicaof('NO', 'ONE');
  });

  it('a snapshot that fails counts where Redis holds the only copy', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    // The name of a folder: the snapshot cannot take its place.
    const { mkdir, rm } = await import('node:fs/promises');
    const [, dir] = (await client.config('GET', 'dir')) as [string, string];
    await mkdir(`${dir}/taken.rdb/inside`, { recursive: true });
    await client.config('SET', 'dbfilename', 'taken.rdb');
    await expect(client.save()).rejects.toThrow();
    await client.bgsave();
    try {
      await eventually(async () =>
        expect(await check({ url: server.url, persistence: 'store' })).toMatchObject({
          degraded: 'the last snapshot (RDB) failed',
          persistence: { as: 'store', failures: ['the last snapshot (RDB) failed'] },
        }),
      );
      expect((await check({ url: server.url })).degraded).toBeUndefined();
    } finally {
      await client.config('SET', 'dbfilename', 'dump.rdb');
      await rm(`${dir}/taken.rdb`, { recursive: true });
    }
  });
});

describe('an account that may not ask for INFO', () => {
  const server = useRedisServer({ users: [{ name: 'limited', password: 'pw', rules: '~* +get +set +ping' }] });

  it('is healthy when PING is answered', async () => {
    expect(await check({ url: server.urlFor('limited', 'pw') })).toMatchObject({
      note: expect.stringContaining('NOPERM') as string,
    });
  });
});

describe('what INFO says, read as a reason to worry', () => {
  const wanted = { persistence: 'store' as const, health: { memoryRatio: 0.9, replicationLagMs: 10_000 } };
  const read = (...lines: string[]) => serverState(parseInfo(['# Section', ...lines].join('\r\n')), wanted);

  it.each([
    [
      ['role:master', 'used_memory:95', 'maxmemory:100', 'maxmemory_policy:allkeys-lru'],
      /95 % .* drops keys that are kept nowhere else/,
    ],
    [['role:master', 'aof_enabled:1', 'aof_last_write_status:err'], /append-only file failed/],
    [['role:master', 'aof_enabled:1', 'aof_last_bgrewrite_status:err'], /rewrite of the append-only file failed/],
    [
      ['role:master', 'master_repl_offset:500', 'slave0:ip=10.0.0.2,port=6380,state=online,offset=100,lag=11'],
      /10\.0\.0\.2:6380 is 11 s behind/,
    ],
    [['role:slave', 'master_link_status:up', 'master_last_io_seconds_ago:30'], /not heard of its master for 30 s/],
  ])('%j', (lines, reason) => expect(read(...lines).reasons.join('; ')).toMatch(reason));

  it('tells how far each replica is behind', () => {
    expect(
      read('role:master', 'master_repl_offset:500', 'slave0:ip=a,port=1,state=online,offset=450,lag=1'),
    ).toMatchObject({
      reasons: [],
      details: { replication: { replicas: [{ address: 'a:1', state: 'online', lagMs: 1_000, lagBytes: 50 }] } },
    });
  });
});
