import { uniqueName, useRedisCluster } from '@core-infra/testing';
import { expectCountedOnce, LIMIT, NotesApp, took } from './support/notes-app.js';
import { tableOf } from './support/steady-load.js';

const PER_SECOND = 200;
const SPENT = 30;
const SPENT_MEANWHILE = 20;
/** A replica takes over about a second after its master is gone, and later on a busy machine. */
const AGREES_WITHIN_MS = 30_000;

describe('two processes of an app over a cluster of Redis, at 200 requests a second', () => {
  const cluster = useRedisCluster();
  let app: NotesApp;

  beforeAll(async () => {
    const address = {
      REDIS_DRIVER: 'cluster',
      REDIS_PASSWORD: cluster.password,
      REDIS_CLUSTER_NODES: cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(','),
    };
    app = await NotesApp.start([address, address]);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('no request fails when a master is killed, nothing old is read once they agree again, limits are counted once, and flags follow', async () => {
    const [, two] = app.processes;
    const times: string[] = [];
    await using load = app.load(PER_SECOND);
    load.enter('the cluster is well');
    await app.toggleBanner();
    await app.bannerFollows(two);

    const losses = { 'the invalidations': '{cache}:log', 'the flags': 'core-infra:flags' };
    for (const [round, [whose, key]] of Object.entries(losses).entries()) {
      const caller = uniqueName('caller');
      const before = await app.spend(caller, SPENT);
      expect(before.allowed).toBe(SPENT);

      load.enter(`the master of ${whose} is killed`);
      const killed = await cluster.killMaster(key);
      await app.write(round * 10, `round-${round}`);
      const meanwhile = await app.spend(caller, SPENT_MEANWHILE);
      expect(meanwhile.allowed).toBe(SPENT_MEANWHILE);
      await cluster.settled();

      load.enter(`another one has taken over ${whose}`);
      const agreed = await took(() => app.agrees(AGREES_WITHIN_MS));
      expectCountedOnce(whose, [before, meanwhile, await app.spend(caller, LIMIT)]);
      await app.toggleBanner();
      times.push(
        `${whose}: agree after ${agreed}, the flag is followed after ${await took(() => app.bannerFollows(two))}`,
      );
      await cluster.start(killed);
      await cluster.settled();
    }
    process.stdout.write(`${tableOf(await load.stop())}\n${times.join('\n')}\n`);
    expect(load.failures).toEqual([]);
    expect(app.answers.wrong).toEqual([]);
  }, 180_000);
});
