import { Module } from '@nestjs/common';
import { type Operation, operations, connectionToken } from '@core-infra/kernel';
import { luaScript, RedisClient, RedisModule } from '@core-infra/redis';
import { bootInfra, eventually, uniqueName, useRedisServer } from '@core-infra/testing';

const add = luaScript({
  name: 'add',
  keys: 1,
  source: `return redis.call('INCRBY', KEYS[1], ARGV[1])`,
  parse: Number,
});

async function names(work: () => Promise<unknown>): Promise<string[]> {
  const heard: string[] = [];
  const start = ({ operation }: Operation) => void heard.push(operation);
  const subscriber = { start, end: () => {}, asyncStart: () => {}, asyncEnd: () => {}, error: () => {} };
  operations('redis').subscribe(subscriber);
  await work().finally(() => operations('redis').unsubscribe(subscriber));
  return heard;
}

describe('luaScript', () => {
  const server = useRedisServer();

  it('is sent once, then called by its SHA-1: one round trip each time', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    const key = uniqueName('n');
    expect(await add.run(client, [key], [2])).toBe(2);
    const sum: number = await add.run(client, [key], [3]);
    expect(sum).toBe(5);
    expect(await client.script('EXISTS', add.sha)).toEqual([1]);
    const stats = async () => String(await client.info('commandstats'));
    const calls = (text: string, name: string) =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(text)?.[1] ?? 0);
    const before = await stats();
    for (let at = 0; at < 10; at += 1) await add.run(client, [key], [1]);
    const after = await stats();
    expect(calls(after, 'evalsha') - calls(before, 'evalsha')).toBe(10);
    expect(calls(after, 'eval') - calls(before, 'eval')).toBe(0);
    expect(await names(() => add.run(client, [key], [1]))).toEqual(['evalsha']);
  });

  it('is sent again after SCRIPT FLUSH and after a restart', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    const key = uniqueName('n');
    await add.run(client, [key], [1]);
    await client.script('FLUSH');
    expect(await add.run(client, [key], [1])).toBe(2);
    await server.restart();
    expect(await eventually(() => add.run(client, [key], [7]))).toBe(7);
    expect(await add.run(client, [key], [1])).toBe(8);
  });

  it('in pipelines and transactions, known or forgotten, and with prefixes', async () => {
    const feature = RedisModule.forFeature({ keyPrefix: 'p:' });
    @Module({ imports: [feature], providers: [{ provide: 'view', useExisting: RedisClient }], exports: ['view'] })
    class ViewModule {}
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }), ViewModule);
    const client = app.get<RedisClient>(connectionToken('redis'));
    const view = app.get<RedisClient>('view');
    const key = uniqueName('n');
    const pipeline = client.pipeline();
    add.add(pipeline, client, [key], [1]);
    pipeline.get(key);
    add.add(pipeline, client, [key], [1]);
    expect(await pipeline.exec()).toEqual([
      [null, 1],
      [null, '1'],
      [null, 2],
    ]);
    await client.script('FLUSH');
    const forgotten = client.pipeline();
    add.add(forgotten, client, [key], [1]);
    expect(await forgotten.exec()).toEqual([[null, 3]]);
    const transaction = client.multi();
    add.add(transaction, client, [key], [1]);
    expect(await transaction.exec()).toEqual([[null, 4]]);
    expect(await add.run(view, [key], [10])).toBe(10);
    expect(await client.get(`p:${key}`)).toBe('10');
    const prefixed = view.pipeline();
    add.add(prefixed, view, [key], [1]);
    expect(await prefixed.exec()).toEqual([[null, 11]]);
  });

  it('takes any number of keys where none is stated, as one script', async () => {
    const sum = luaScript({ name: 'sum', source: `return { #KEYS, unpack(ARGV) }` });
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url, startup: 'require' }));
    const client = app.get(RedisClient);
    const names = ['a', 'b', 'c'];
    for (const keys of [1, 3, 2]) expect(await sum.run(client, names.slice(0, keys), ['x'])).toEqual([keys, 'x']);
    const { scriptsSet } = client as unknown as { scriptsSet: object };
    expect(Object.keys(scriptsSet).filter(id => id.includes(sum.sha))).toHaveLength(1);
    const pipeline = client.pipeline();
    sum.add(pipeline, client, names, ['y']);
    expect(await pipeline.exec()).toEqual([[null, [3, 'y']]]);
  });

  it('refuses another number of keys', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: server.url }));
    await expect(add.run(app.get(RedisClient), [], [])).rejects.toThrow('The script "add" takes 1 key(s), not 0.');
  });
});
