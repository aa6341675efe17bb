import { eventually, startRedisCluster, useRedisCluster } from '@core-infra/testing';
import { Cluster } from 'ioredis';
import { withRedis } from '../../src/redis/redis.admin.js';

describe('useRedisCluster', () => {
  const cluster = useRedisCluster();
  let client: Cluster;
  beforeAll(async () => {
    client = new Cluster([...cluster.urls], { redisOptions: { password: cluster.password }, lazyConnect: true });
    client.on('error', () => undefined);
    await client.connect();
  });
  afterAll(() => client.disconnect());

  it('has masters that share the slots, and a replica of each that follows', async () => {
    expect(cluster.nodes.map(({ role }) => role)).toEqual([...Array(3).fill('master'), ...Array(3).fill('replica')]);
    const keys = ['a', 'b', 'c', 'd'];
    for (const key of keys) await client.set(key, key);
    expect(await Promise.all(keys.map(key => client.get(key)))).toEqual(keys);
    expect(new Set(await Promise.all(keys.map(key => cluster.masterOf(key)))).size).toBe(3);
    const following = cluster.nodes
      .filter(({ role }) => role === 'replica')
      .map(({ url }) => withRedis(url, async node => (await node.info('replication')).includes('link_status:up')));
    expect(await Promise.all(following)).toEqual([true, true, true]);
  });

  it('replaces a master that is killed, and takes it back as a replica', async () => {
    const before = await cluster.masterOf('kept');
    const at = (port: number) => cluster.nodes.find(node => node.port === port)!.url;
    await withRedis(at(before), async node => {
      await node.set('kept', 'yes');
      // One replica has it, before its master is killed.
      expect(await node.wait(1, 10_000)).toBe(1);
    });
    expect(await cluster.killMaster('kept')).toBe(before);
    await cluster.settled();
    expect(await cluster.masterOf('kept')).not.toBe(before);
    await eventually(async () => expect(await client.get('kept')).toBe('yes'));

    await cluster.start(before);
    await cluster.settled();
    expect(await withRedis(at(before), node => node.info('replication'))).toContain('role:slave');
  });

  it('knows its ports', async () => {
    await expect(cluster.kill(1)).rejects.toThrow('No server has port 1.');
  });
});

it('startRedisCluster makes one of masters alone', async () => {
  const cluster = await startRedisCluster({ masters: 2, replicasPerMaster: 0 });
  const { urls } = cluster;
  expect(urls).toHaveLength(2);
  await cluster.dispose();
  for (const url of urls) await expect(withRedis(url, node => node.ping())).rejects.toThrow('ECONNREFUSED');
});
