import { Connections } from '@core-infra/kernel';
import { availabilityOf, duplicateOf, Redis, RedisClient, RedisModule, type RedisOptions } from '@core-infra/redis';
import { bootInfra, bootLogged, eventually, uniqueName, useRedisSentinel } from '@core-infra/testing';

describe('the sentinel driver', () => {
  const servers = useRedisSentinel({ sentinelPassword: true });
  const options = (): RedisOptions => ({
    driver: 'sentinel',
    startup: 'require',
    password: servers.password,
    sentinel: {
      nodes: servers.sentinels.map(({ host, port }) => `${host}:${port}`),
      masterName: servers.masterName,
      password: servers.sentinelPassword,
    },
  });

  it('a server in the place of a sentinel, and a wrong name of the master, are told', async () => {
    const wrong = (sentinel: object) =>
      bootInfra(
        RedisModule.forRoot({
          ...options(),
          connectTimeoutMs: 1_000,
          sentinel: { ...options().sentinel, ...sentinel },
        }),
      );
    await expect(wrong({ nodes: ['127.0.0.1:1'] })).rejects.toThrow(/no sentinel answers at 127\.0\.0\.1:1/);
    await expect(wrong({ password: 'wrong' })).rejects.toThrow(/redis\.sentinel\.password is wrong/);
    await expect(wrong({ masterName: 'nobody' })).rejects.toThrow(/knows a master "nobody"/);
  }, 30_000);

  it('finds the master; Redis is bound; health tells of its replicas', async () => {
    await using booted = await bootLogged(RedisModule.forRoot(options()));
    const { app } = booted;
    expect(await app.get(Redis).role()).toContain('master');
    const [check] = app.get(Connections).checks();
    expect(await check!.run()).toMatchObject({ role: 'master', replication: { replicas: [{ state: 'online' }] } });
    expect(app.get(Connections).list()).toMatchObject([{ driver: 'sentinel', state: 'open' }]);
  });

  it('follows a failover, and so do its subscriptions', async () => {
    await using booted = await bootLogged(RedisModule.forRoot(options()));
    const client = booted.app.get(RedisClient);
    const availability = availabilityOf(client);
    const copy = duplicateOf(client) as unknown as Redis;
    const channel = uniqueName('news');
    const heard: string[] = [];
    copy.on('message', (_channel, text) => heard.push(text));
    await copy.subscribe(channel);
    const key = uniqueName('kept');
    await client.set(key, '1');
    expect(await client.wait(1, 2_000)).toBe(1);
    await servers.killMaster();
    // The sentinels may have to vote more than once, and that is not the client's time.
    await servers.settled();
    await eventually(async () => expect(await availability.run(() => client.incr(key))).toBeGreaterThan(1), {
      timeoutMs: 5_000,
    });
    expect(await client.get(key)).toBe('2');
    await eventually(async () => {
      await client.publish(channel, 'after');
      expect(heard).toContain('after');
    });
  }, 90_000);
});
