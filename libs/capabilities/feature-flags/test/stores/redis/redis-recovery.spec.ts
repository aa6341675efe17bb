import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, uniqueName, useRedis, useRedisServer, useToxiproxy } from '@core-infra/testing';
import type { FlagSnapshot } from '../../../src/flag-store.js';
import { openStore } from '../../support/redis-store.js';
import { off, on } from '../../support/store.contract.js';

describe('flags while their Redis comes and goes', () => {
  const server = useRedisServer();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flags-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('stay what they were while it is away, and follow it when it is back, even if it has lost them', async () => {
    const key = uniqueName('flags');
    await using here = await openStore({ url: server.url }, { key, pollMs: 50 });
    const seen: FlagSnapshot[] = [];
    await here.store.watch(snapshot => seen.push(snapshot), fail);
    await here.store.change({ flag: 'a', to: on, by: 'ann' });
    await server.kill('SIGKILL');
    await eventually(() => expect(here.store.check()).toMatchObject({ degraded: expect.stringContaining('away') }));
    expect(await here.store.read()).toMatchObject({ version: 1, document: { flags: { a: on } } });
    await expect(here.store.change({ flag: 'a', to: off, by: 'ann' })).rejects.toMatchObject({
      code: 'INFRA_REDIS_UNAVAILABLE',
    });
    await server.start();
    await eventually(() => expect(here.store.check()).toEqual({ version: 1, flags: 1 }));
    await eventually(() => expect(here.warnings).toEqual([expect.stringMatching(/version 1 was put back/)]));
    // Announcements are heard again too.
    await using other = await openStore({ url: server.url }, { key });
    expect(await other.store.change({ flag: 'a', to: off, by: 'bob' })).toMatchObject({ version: 2 });
    await eventually(() => expect(seen.at(-1)).toMatchObject({ version: 2, document: { flags: { a: off } } }));
    expect(seen.map(({ version }) => version)).toEqual([1, 2]);
  });

  it('are read from the snapshot by a process that starts while it is away', async () => {
    const snapshotFile = join(folder, 'deep', 'flags.json');
    const options = { key: uniqueName('flags'), snapshotFile, bootWaitMs: 50, pollMs: 50 };
    {
      await using before = await openStore({ url: server.url }, { ...options, bootWaitMs: 10_000 });
      await before.store.change({ flag: 'a', to: on, by: 'ann' });
    }
    expect((await stat(snapshotFile)).mode & 0o777).toBe(0o600);
    await server.stop();
    await using after = await openStore({ url: server.url }, options);
    expect(await after.store.read()).toMatchObject({ version: 1, document: { flags: { a: on } } });
    expect(after.store.check()).toEqual({
      version: 1,
      flags: 1,
      degraded: 'Redis is away; version 1, of the snapshot file, is served',
    });
    // It has lost them, and gets them back from the process that knows them.
    await after.store.watch(() => undefined, fail);
    await server.start();
    await eventually(() => expect(after.store.check()).toEqual({ version: 1, flags: 1 }));
    expect(await after.client.hget(`{${options.key}}`, 'version')).toBe('1');
  });

  it('are none, and say why, when there is no snapshot either', async () => {
    await server.stop();
    await using here = await openStore({ url: server.url }, { bootWaitMs: 20 });
    await expect(here.store.read()).rejects.toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
    expect(here.store.check()).toEqual({
      version: 0,
      flags: 0,
      degraded: 'Redis is away; the defaults are served',
    });
    await server.start();
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, 40), 'not whole'],
    ['changed', (text: string) => text.replace('ENABLED', 'DISABLE'), 'checksum'],
    ['of another format', () => '{"format":9}', 'another format'],
  ])('are not read from a snapshot that was %s, and one line says so', async (_, spoil, reason) => {
    const snapshotFile = join(folder, `${uniqueName('flags')}.json`);
    const options = { key: uniqueName('flags'), snapshotFile, bootWaitMs: 20 };
    {
      await using before = await openStore({ url: server.url }, { ...options, bootWaitMs: 10_000 });
      await before.store.change({ flag: 'a', to: on, by: 'ann' });
    }
    await writeFile(snapshotFile, spoil(await readFile(snapshotFile, 'utf8')));
    await server.stop();
    await using after = await openStore({ url: server.url }, options);
    await expect(after.store.read()).rejects.toMatchObject({ code: 'INFRA_REDIS_UNAVAILABLE' });
    await server.start();
    expect(after.warnings).toEqual([expect.stringMatching(new RegExp(`${snapshotFile} is ignored: .*${reason}`))]);
  });

  it('are the snapshot’s when what it holds is refused at the start', async () => {
    const options = { key: uniqueName('flags'), snapshotFile: join(folder, `${uniqueName('flags')}.json`) };
    {
      await using before = await openStore({ url: server.url }, { ...options, bootWaitMs: 10_000 });
      await before.store.change({ flag: 'a', to: on, by: 'ann' });
      await before.client.hset(`{${options.key}}`, { document: 'broken', revision: 'x', version: '2' });
    }
    await using after = await openStore({ url: server.url }, options);
    expect(await after.store.read()).toMatchObject({ version: 1, document: { flags: { a: on } } });
    expect(after.store.check()).toMatchObject({ degraded: expect.stringContaining('refused') });
  });
});

describe('flags over a network that fails', () => {
  const redis = useRedis();
  const proxy = useToxiproxy(() => redis.url);

  it.each(['halfOpen', 'resetPeer', 'down'] as const)(
    'go on and catch up after %s',
    async fault => {
      const key = uniqueName('flags');
      await using near = await openStore({ url: redis.url }, { key });
      await using far = await openStore({ url: proxy.url, commandTimeoutMs: 200 }, { key, pollMs: 100 });
      const seen: FlagSnapshot[] = [];
      await near.store.change({ flag: 'a', to: on, by: 'ann' });
      expect(await far.store.read()).toMatchObject({ version: 1 });
      await far.store.watch(snapshot => seen.push(snapshot), fail);
      await proxy[fault]();
      await near.store.change({ flag: 'a', to: off, by: 'ann' });
      await eventually(() => expect(far.store.check()).toMatchObject({ degraded: expect.stringContaining('away') }));
      expect(await far.store.read()).toMatchObject({ version: 1, document: { flags: { a: on } } });
      await proxy.heal();
      await eventually(() => expect(seen.at(-1)).toMatchObject({ version: 2 }), { timeoutMs: 20_000 });
      expect(far.store.check()).toEqual({ version: 2, flags: 1 });
    },
    40_000,
  );
});

const fail = (error: unknown): void => {
  throw error;
};
