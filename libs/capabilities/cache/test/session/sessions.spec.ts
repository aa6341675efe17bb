import { Clock } from '@core-infra/kernel';
import { getRedisToken, RedisModule, type RedisClient } from '@core-infra/redis';
import { bootInfra, eventually, type Importable, uniqueName, useRedis, useRedisServer } from '@core-infra/testing';
import { Global, Module } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import {
  CacheModule,
  newSessionId,
  Sessions,
  SessionsInTiersError,
  SessionsModule,
  type SessionsOptions,
  SessionsUnavailableError,
} from '../../src/index.js';

interface Login {
  user: string;
  visits?: number;
}

const redis = useRedis();

type Boot = (options?: SessionsOptions) => Importable[];
const drivers: [string, Boot][] = [
  ['cache', options => [CacheModule.forRoot(), SessionsModule.forRoot({ ...options })]],
  [
    'redis',
    options => [
      RedisModule.forRoot({ url: redis.url, startup: 'require' }),
      SessionsModule.forRoot({ driver: 'redis', keyPrefix: uniqueName('sessions'), ...options }),
    ],
  ],
];

/** A clock that a spec moves. */
function movable(): { clock: Clock; module: Importable; move(ms: number): void } {
  let moved = 0;
  const clock: Clock = { now: () => Date.now() + moved, monotonic: () => performance.now() + moved };
  @Global()
  @Module({ providers: [{ provide: Clock, useValue: clock }], exports: [Clock] })
  class ClockModule {}
  return { clock, module: ClockModule, move: ms => void (moved += ms) };
}

describe.each(drivers)('sessions in %s', (driver, modules) => {
  it('creates, reads, updates and destroys', async () => {
    await using app = await bootInfra(...modules());
    const sessions: Sessions<Login> = app.get(Sessions);
    const created = await sessions.create({ user: 'ann' });
    expect(created.id).toMatch(/^[\w-]{43}$/);
    expect(await sessions.read(created.id)).toEqual(created);
    expect(await sessions.update(created.id, data => ({ ...data, visits: 1 }))).toEqual({
      ...created,
      data: { user: 'ann', visits: 1 },
    });
    expect((await sessions.read(created.id))?.data).toEqual({ user: 'ann', visits: 1 });
    expect(await sessions.destroy(created.id)).toBe(true);
    expect(await sessions.destroy(created.id)).toBe(false);
    expect(await sessions.read(created.id)).toBeUndefined();
    expect(await sessions.read(newSessionId())).toBeUndefined();
    expect(await sessions.update(newSessionId(), data => data)).toBeUndefined();
  });

  it('does not bring back what was destroyed, whoever writes late', async () => {
    await using app = await bootInfra(...modules());
    const sessions: Sessions<Login> = app.get(Sessions);
    const { id, data } = await sessions.create({ user: 'ann' });
    await sessions.destroy(id);
    await sessions.save(id, data);
    await sessions.touch(id);
    expect(await sessions.update(id, login => login)).toBeUndefined();
    expect(await sessions.read(id)).toBeUndefined();
  });

  it('gives a new id, ends the old one, and keeps the rest', async () => {
    await using app = await bootInfra(...modules());
    const sessions: Sessions<Login> = app.get(Sessions);
    const guest = await sessions.create({ user: 'guest', visits: 3 });
    const login = (await sessions.rotate(guest.id, data => ({ ...data, user: 'ann' })))!;
    expect(login).toEqual({
      id: expect.not.stringMatching(guest.id),
      createdAt: guest.createdAt,
      data: { user: 'ann', visits: 3 },
    });
    expect(await sessions.read(guest.id)).toBeUndefined();
    expect(await sessions.read(login.id)).toEqual(login);
    const both = await Promise.all([sessions.rotate(login.id), sessions.rotate(login.id)]);
    expect(both.filter(Boolean)).toHaveLength(1);
  });

  it('loses no update of many at once', async () => {
    await using app = await bootInfra(...modules());
    const sessions: Sessions<Login> = app.get(Sessions);
    const { id } = await sessions.create({ user: 'ann', visits: 0 });
    const counted = Array.from({ length: 10 }, () =>
      sessions.update(id, data => ({ ...data, visits: (data.visits ?? 0) + 1 })),
    );
    await Promise.all(counted);
    expect((await sessions.read(id))?.data.visits).toBe(10);
  });

  it('ends after its time', async () => {
    await using app = await bootInfra(...modules({ ttlMs: 1, rolling: false }));
    const sessions: Sessions<Login> = app.get(Sessions);
    const { id } = await sessions.create({ user: 'ann' });
    await eventually(async () => expect(await sessions.read(id)).toBeUndefined());
  });

  it('ends at its absolute time however much it is used, by a rotation too', async () => {
    const time = movable();
    await using app = await bootInfra(time.module, ...modules({ absoluteTtlMs: 60_000, ttlMs: 3_600_000 }));
    const sessions: Sessions<Login> = app.get(Sessions);
    const first = await sessions.create({ user: 'ann' });
    time.move(40_000);
    const second = (await sessions.rotate(first.id))!;
    await sessions.save(second.id, { user: 'ann' });
    time.move(19_000);
    expect((await sessions.read(second.id))?.createdAt).toBe(first.createdAt);
    time.move(1_001);
    expect(await sessions.read(second.id)).toBeUndefined();
    time.move(-60_000);
    expect(await sessions.read(second.id)).toBeUndefined();
  });

  it('is bound to its id when it is encrypted', async () => {
    const keys = [{ id: 'k', key: randomBytes(32).toString('base64') }];
    const keyPrefix = uniqueName('sessions');
    await using app = await bootInfra(...modules({ keyPrefix, codec: { encryption: { keys } } }));
    const sessions: Sessions<Login> = app.get(Sessions);
    const { id } = await sessions.create({ user: 'ann' });
    expect((await sessions.read(id))?.data.user).toBe('ann');
    if (driver !== 'redis') return;
    const client = app.get<RedisClient>(getRedisToken());
    const [mine] = await keysOf(client, keyPrefix);
    const other = await sessions.create({ user: 'admin' });
    const theirs = (await keysOf(client, keyPrefix)).find(key => key !== mine)!;
    await client.set(mine!, (await client.getBuffer(theirs))!);
    expect(await sessions.read(id)).toBeUndefined();
    expect((await sessions.read(other.id))?.data.user).toBe('admin');
  });
});

describe('use', () => {
  it('has the time of a session in a cache begin anew', async () => {
    const time = movable();
    await using app = await bootInfra(time.module, ...drivers[0]![1]({ ttlMs: 60_000 }));
    const sessions: Sessions<Login> = app.get(Sessions);
    const { id } = await sessions.create({ user: 'ann' });
    time.move(40_000);
    expect((await sessions.read(id))?.data.user).toBe('ann');
    time.move(40_000);
    await sessions.touch(id);
    time.move(59_000);
    expect((await sessions.read(id))?.data.user).toBe('ann');
    time.move(60_001);
    expect(await sessions.read(id)).toBeUndefined();
  });

  it.each([true, false])('has the time of a session in Redis begin anew: rolling %s', async rolling => {
    const keyPrefix = uniqueName('sessions');
    await using app = await bootInfra(...drivers[1]![1]({ ttlMs: 60_000, rolling, keyPrefix }));
    const sessions: Sessions<Login> = app.get(Sessions);
    const client = app.get<RedisClient>(getRedisToken());
    const { id } = await sessions.create({ user: 'ann' });
    const [key] = await keysOf(client, keyPrefix);
    await client.pexpire(key!, 30_000);
    await sessions.read(id);
    expect((await client.pttl(key!)) > 30_000).toBe(rolling);
    await sessions.touch(id);
    expect(await client.pttl(key!)).toBeGreaterThan(30_000);
    await client.pexpire(key!, 30_000);
    await sessions.update(id, data => data);
    expect(await client.pttl(key!)).toBeGreaterThan(30_000);
  });
});

describe('sessions in Redis', () => {
  const keyPrefix = uniqueName('sessions');
  const boot = (url = redis.url) =>
    bootInfra(
      RedisModule.forRoot({ url, startup: 'require' }),
      SessionsModule.forRoot({ driver: 'redis', keyPrefix, commandTimeoutMs: 300 }),
    );

  it('end in all processes at once, and hold no id', async () => {
    await using first = await boot();
    await using second = await boot();
    const { id } = await first.get(Sessions).create({ user: 'ann' });
    expect((await second.get(Sessions).read(id))?.data).toEqual({ user: 'ann' });
    const stored = await keysOf(first.get<RedisClient>(getRedisToken()), keyPrefix);
    expect(stored).toHaveLength(1);
    expect(stored[0]).not.toContain(id);
    await first.get(Sessions).destroy(id);
    expect(await second.get(Sessions).read(id)).toBeUndefined();
  });

  describe('that goes away', () => {
    const own = useRedisServer();

    it('there is no session rather than an old one, and the same one afterwards', async () => {
      await using app = await boot(own.url);
      const sessions = app.get(Sessions);
      const { id } = await sessions.create({ user: 'ann' });
      const changes: boolean[] = [];
      sessions.onAvailability(available => changes.push(available));
      await own.kill('SIGSTOP');
      await expect(sessions.read(id)).rejects.toBeInstanceOf(SessionsUnavailableError);
      await expect(sessions.create({ user: 'bob' })).rejects.toBeInstanceOf(SessionsUnavailableError);
      expect(sessions.isAvailable).toBe(false);
      await own.kill('SIGCONT');
      await eventually(async () => expect((await sessions.read(id))?.data).toEqual({ user: 'ann' }));
      expect(changes).toEqual([false, true]);
    });
  });
});

describe('what cannot work', () => {
  it('refuses a cache that keeps copies in each process', async () => {
    const booted = bootInfra(
      RedisModule.forRoot({ url: redis.url }),
      CacheModule.forRoot({ driver: 'redis', redis: { keyPrefix: uniqueName('cache') } }),
      SessionsModule.forRoot(),
    );
    await expect(booted).rejects.toBeInstanceOf(SessionsInTiersError);
  });
});

function keysOf(client: RedisClient, keyPrefix: string): Promise<string[]> {
  return client.keys(`${keyPrefix}:*`);
}
