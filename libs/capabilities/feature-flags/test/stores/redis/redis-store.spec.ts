import { resolve } from 'node:path';
import { eventually, runChild, uniqueName, useRedis, useRedisCluster } from '@core-infra/testing';
import type { FlagSnapshot } from '../../../src/flag-store.js';
import { openStore } from '../../support/redis-store.js';
import { off, on } from '../../support/store.contract.js';

const changer = resolve(__dirname, '../../fixtures/changer.main.ts');

describe('flags in Redis', () => {
  const redis = useRedis();

  it('keeps every change of two processes that make them at once, and pushes them to a third', async () => {
    const key = uniqueName('flags');
    await using here = await openStore({ url: redis.url }, { key, pollMs: 60_000 });
    const seen: FlagSnapshot[] = [];
    await here.store.read();
    await here.store.watch(snapshot => seen.push(snapshot), fail);
    const children = ['a', 'b'].map(prefix => runChild(changer, { args: [redis.url, key, prefix, '20'] }));
    for (const child of children) expect(await child.exit).toEqual({ code: 0, signal: null });
    // Only announcements can have told it: the next look of its own is a minute away.
    await eventually(() => expect(seen.at(-1)?.version).toBe(40));
    const names = ['a', 'b'].flatMap(prefix => Array.from({ length: 20 }, (_, at) => `${prefix}-${at}`));
    expect(Object.keys(seen.at(-1)!.document.flags).sort()).toEqual(names.sort());
    const history = await here.store.history({ limit: 100 });
    expect(history.map(({ version }) => version)).toEqual(Array.from({ length: 40 }, (_, at) => 40 - at));
    expect(new Set(history.map(({ by }) => by))).toEqual(new Set(['process a', 'process b']));
  }, 60_000);

  it('finds a change by itself that nobody announced', async () => {
    const key = uniqueName('flags');
    await using here = await openStore({ url: redis.url }, { key, pollMs: 50 });
    const seen: FlagSnapshot[] = [];
    await here.store.watch(snapshot => seen.push(snapshot), fail);
    await here.store.change({ flag: 'a', to: on, by: 'ann' });
    const document = JSON.stringify({ flags: { a: off, b: on } });
    await here.client.hset(`{${key}}`, { version: '7', revision: 'by hand', document });
    await eventually(() => expect(seen.at(-1)).toMatchObject({ version: 7, document: { flags: { a: off, b: on } } }));
    // Not even its version: the length tells.
    await here.client.hset(`{${key}}`, { document: JSON.stringify({ flags: { onlyThis: on } }) });
    await eventually(() => expect(Object.keys(seen.at(-1)!.document.flags)).toEqual(['onlyThis']));
  });

  it.each([
    ['that is no JSON', '{"flags": {"a": ', /1:\d+/],
    ['with a state that is none', JSON.stringify({ flags: { a: { ...on, state: 'MAYBE' } } }), /\/flags\/a\/state/],
    ['that is another thing', '[]', /"flags"/],
  ])('refuses a document %s whole, names the place and keeps the old one', async (_, document, place) => {
    const key = uniqueName('flags');
    await using here = await openStore({ url: redis.url }, { key, pollMs: 50 });
    const seen: FlagSnapshot[] = [];
    const refused: unknown[] = [];
    await here.store.watch(
      snapshot => seen.push(snapshot),
      error => refused.push(error),
    );
    await here.store.change({ flag: 'a', to: on, by: 'ann' });
    await here.client.hset(`{${key}}`, { version: '2', revision: 'x', document });
    await eventually(() => expect(refused).toHaveLength(1));
    expect(refused[0]).toMatchObject({ code: 'INFRA_FLAGS_INVALID', message: expect.stringMatching(place) });
    expect(await here.store.read()).toMatchObject({ version: 1, document: { flags: { a: on } } });
    expect(seen).toHaveLength(1);
    expect(here.store.check()).toMatchObject({ version: 1, degraded: expect.stringMatching(/refused.*version 1/) });
    // Nothing is built on top of it either.
    await expect(here.store.change({ flag: 'b', to: on, by: 'ann' })).rejects.toMatchObject({
      code: 'INFRA_FLAGS_INVALID',
    });
    // Deleting it is the way back.
    await here.client.del(`{${key}}`);
    await eventually(async () => expect(await here.client.hget(`{${key}}`, 'version')).toBe('1'));
    await eventually(() => expect(here.store.check()).toEqual({ version: 1, flags: 1 }));
    expect(refused).toHaveLength(1);
  });

  it('refuses a key that is no hash, and a version that is no number', async () => {
    const key = uniqueName('flags');
    await using here = await openStore({ url: redis.url }, { key, pollMs: 60_000 });
    await here.store.read();
    await here.client.set(`{${key}}`, 'mine');
    await expect(here.store.read()).rejects.toMatchObject({ code: 'INFRA_FLAGS_STORED' });
    await here.client.del(`{${key}}`);
    await here.client.hset(`{${key}}`, { version: 'seven', revision: 'x', document: '{"flags":{}}' });
    await expect(here.store.read()).rejects.toMatchObject({ code: 'INFRA_FLAGS_STORED' });
  });

  it('keeps as much of the history as it is told', async () => {
    await using here = await openStore({ url: redis.url }, { historyLimit: 3 });
    for (const flag of ['a', 'b', 'c', 'd']) await here.store.change({ flag, to: on, by: 'ann' });
    expect((await here.store.history()).map(({ flag }) => flag)).toEqual(['d', 'c', 'b']);
  });

  it('goes by the clock that it is given', async () => {
    const clock = { now: () => Date.UTC(2030, 0, 1), monotonic: () => 0 };
    await using here = await openStore({ url: redis.url }, {}, clock);
    await here.store.change({ flag: 'a', to: on, by: 'ann' });
    expect(await here.store.history()).toMatchObject([{ at: '2030-01-01T00:00:00.000Z' }]);
  });
});

describe('flags in a cluster of Redis', () => {
  const cluster = useRedisCluster();

  it('are changed as one step and pushed, over a failover too', async () => {
    const [url] = cluster.urls as [string];
    const key = uniqueName('flags');
    const redis = { driver: 'cluster' as const, url };
    await using one = await openStore(redis, { key, bootWaitMs: 10_000 });
    await using two = await openStore(redis, { key, bootWaitMs: 10_000 });
    const seen: FlagSnapshot[] = [];
    await two.store.read();
    await two.store.watch(snapshot => seen.push(snapshot), fail);
    await one.store.change({ flag: 'a', to: on, by: 'ann' });
    await eventually(() => expect(seen.at(-1)).toMatchObject({ version: 1, document: { flags: { a: on } } }));
    expect(await two.store.history()).toMatchObject([{ flag: 'a', by: 'ann' }]);
    await cluster.killMaster(`{${key}}`);
    await eventually(() => one.store.change({ flag: 'b', to: on, by: 'ann' }), { timeoutMs: 30_000 });
    await eventually(() => expect(Object.keys(seen.at(-1)!.document.flags)).toEqual(['a', 'b']), { timeoutMs: 30_000 });
  }, 90_000);
});

const fail = (error: unknown): void => {
  throw error;
};
