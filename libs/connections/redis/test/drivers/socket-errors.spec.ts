import { Cluster, duplicateOf, Redis, RedisClient, RedisModule } from '@core-infra/redis';
import {
  bootInfra,
  eventually,
  uniqueName,
  useRedisCluster,
  useRedisSentinel,
  useRedisServer,
} from '@core-infra/testing';

/** A socket that is well, and tells of two errors: the second one finds nobody of ioredis's that listens, and Node would end the process. */
async function expectToOutliveTwo(redis: Redis): Promise<void> {
  await eventually(() => expect(redis.status).toBe('ready'));
  const { stream } = redis as unknown as { stream: NodeJS.EventEmitter };
  stream.emit('error', new Error('the first'));
  expect(() => stream.emit('error', new Error('the second'))).not.toThrow();
}

describe('a socket that reports more than one error', () => {
  const server = useRedisServer();
  const cluster = useRedisCluster();
  const sentinel = useRedisSentinel();

  it('of one server, of a further connection, and after a reconnect', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(Redis);
    await expectToOutliveTwo(client);
    const copy = duplicateOf(app.get(RedisClient)) as unknown as Redis;
    await expectToOutliveTwo(copy);
    const again = new Promise(resolve => client.once('ready', resolve));
    client.disconnect(true);
    await again;
    await expectToOutliveTwo(client);
  });

  it('of each node of a cluster, and of the connection that serves subscriptions', async () => {
    await using app = await bootInfra(
      RedisModule.forRoot({
        driver: 'cluster',
        startup: 'require',
        password: cluster.password,
        cluster: { nodes: cluster.nodes.map(({ host, port }) => `${host}:${port}`) },
      }),
    );
    const copy = duplicateOf(app.get(RedisClient)) as unknown as Cluster;
    await copy.subscribe(uniqueName('news'));
    const { subscriber } = copy as unknown as { subscriber: { getInstance(): Redis } };
    const first = subscriber.getInstance();
    await expectToOutliveTwo(first);
    first.disconnect();
    await eventually(() => expect(subscriber.getInstance()).not.toBe(first));
    await expectToOutliveTwo(subscriber.getInstance());
    for (const node of app.get(Cluster).nodes('master')) await expectToOutliveTwo(node);
  });

  it('of the master that sentinels name', async () => {
    await using app = await bootInfra(
      RedisModule.forRoot({
        driver: 'sentinel',
        startup: 'require',
        password: sentinel.password,
        sentinel: {
          nodes: sentinel.sentinels.map(({ host, port }) => `${host}:${port}`),
          masterName: sentinel.masterName,
        },
      }),
    );
    await expectToOutliveTwo(app.get(Redis));
  });
});
