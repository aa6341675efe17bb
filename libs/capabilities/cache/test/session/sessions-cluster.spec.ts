import { RedisModule } from '@core-infra/redis';
import { bootInfra, eventually, uniqueName, useRedisCluster } from '@core-infra/testing';
import { createHash } from 'node:crypto';
import { Sessions, SessionsModule, SessionsUnavailableError } from '../../src/index.js';

interface Login {
  user: string;
  visits?: number;
}

describe('sessions on a cluster', () => {
  const cluster = useRedisCluster();
  const keyPrefix = uniqueName('sessions');
  const boot = () =>
    bootInfra(
      RedisModule.forRoot({
        driver: 'cluster',
        startup: 'require',
        password: cluster.password,
        cluster: { nodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`) },
      }),
      SessionsModule.forRoot({ driver: 'redis', keyPrefix, commandTimeoutMs: 1_000 }),
    );
  const keyOf = (id: string): string => `${keyPrefix}:${createHash('sha256').update(id).digest('base64url')}`;

  it('hold on every node: what one process writes, rotates and ends is so in the other', async () => {
    await using one = await boot();
    await using two = await boot();
    const [here, there]: Sessions<Login>[] = [one.get(Sessions), two.get(Sessions)];
    // As many as have some in the slots of each master.
    const users = Array.from({ length: 30 }, (_, at) => `user-${at}`);
    await Promise.all(
      users.map(async user => {
        const guest = await here!.create({ user: 'guest', visits: 0 });
        const counted = [here!, there!].map(sessions =>
          sessions.update(guest.id, data => ({ ...data, visits: (data.visits ?? 0) + 1 })),
        );
        await Promise.all(counted);
        const login = (await there!.rotate(guest.id, data => ({ ...data, user })))!;
        expect(await here!.read(guest.id)).toBeUndefined();
        expect(await here!.read(login.id)).toMatchObject({ data: { user, visits: 2 } });
        expect(await here!.destroy(login.id)).toBe(true);
        await there!.save(login.id, { user });
        expect(await there!.read(login.id)).toBeUndefined();
      }),
    );
  });

  it('are refused while their master is away, and there again, with their end, under another one', async () => {
    await using app = await boot();
    const sessions: Sessions<Login> = app.get(Sessions);
    const kept = await sessions.create({ user: 'ann' });
    const ended = await sessions.create({ user: 'bob' });
    await sessions.destroy(ended.id);
    await cluster.settled();
    await cluster.killMaster(keyOf(kept.id));
    const meanwhile: unknown = await sessions.read(kept.id).catch((error: Error) => error);
    if (meanwhile instanceof Error) expect(meanwhile).toBeInstanceOf(SessionsUnavailableError);
    else expect(meanwhile).toEqual(kept);
    await cluster.settled();
    await eventually(async () => expect(await sessions.read(kept.id)).toEqual(kept), { timeoutMs: 30_000 });
    await eventually(async () => expect(await sessions.read(ended.id)).toBeUndefined(), { timeoutMs: 30_000 });
  }, 90_000);
});
