import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, uniqueName, useRedisServer, useToxiproxy } from '@core-infra/testing';
import { alone, expectCountedOnce, LIMIT, NotesApp, took } from './support/notes-app.js';
import { tableOf } from './support/steady-load.js';

const PER_SECOND = 500;
/** How long each phase lasts at least, so that its p99 stands on 750 requests. */
const PHASE_MS = 1_500;
const SPENT = 30;
const SPENT_MEANWHILE = 20;
/** That each process sees of them; the last, in which they end, not counted. */
const OUTAGES = [2, 6];
/** Of each process, which answers some five thousand requests; on a busy machine Redis comes and goes more often than it is made to. */
const MOST_LINES = 150;

describe('two processes of an app over one Redis, at 500 requests a second', () => {
  // Durable, so that what was counted is there after a crash.
  const redis = useRedisServer({ durable: true });
  const network = useToxiproxy(() => redis.url);
  let app: NotesApp;

  beforeAll(async () => {
    const { host, password } = new URL(network.url);
    app = await NotesApp.start([{ REDIS_URL: redis.url }, { REDIS_ADDR: host, REDIS_PASSWORD: password }]);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('no request fails whatever becomes of Redis, nothing old is read once they agree again, limits are counted once, and flags follow', async () => {
    const both = app.processes;
    const [one, two] = both;
    const faults: [name: string, begin: () => Promise<void>, end: () => Promise<void>, away: (typeof one)[]][] = [
      ['killed', () => redis.kill('SIGKILL'), () => redis.start(), [one, two]],
      ['hangs (SIGSTOP)', () => redis.kill('SIGSTOP'), () => redis.kill('SIGCONT'), [one, two]],
      ['answers 5 s late', () => network.latency(5_000), () => network.heal(), [two]],
      ['resets connections', () => network.resetPeer(), () => network.heal(), [two]],
      ['half-open', () => network.halfOpen(), () => network.heal(), [two]],
      ['down', () => network.down(), () => network.heal(), [two]],
    ];
    const times: string[] = [];
    await using load = app.load(PER_SECOND);
    load.enter('Redis is well');
    await app.toggleBanner();
    times.push(`the flag is followed after ${await took(() => app.bannerFollows(two))}`);
    await sleep(PHASE_MS);

    for (const [round, [name, begin, end, away]] of faults.entries()) {
      const caller = uniqueName('caller');
      const before = await app.spend(caller, SPENT);
      expect(before.allowed).toBe(SPENT);

      load.enter(name);
      const lasts = sleep(PHASE_MS);
      await begin();
      await app.write(round * 10, `round-${round}`);
      await eventually(async () => {
        for (const process of away) expect(await process.state()).toMatchObject(alone);
      });
      const meanwhile = await app.spend(caller, SPENT_MEANWHILE);
      expect(meanwhile.allowed).toBe(SPENT_MEANWHILE);
      if (away.length === 1) await app.toggleBanner();
      await app.bannerFollows(one);
      await lasts;

      await end();
      load.enter(`${name}, over`);
      const over = sleep(PHASE_MS);
      const agreed = await took(() => app.agrees());
      times.push(`${name}: agree again after ${agreed}, the flag ${await took(() => app.bannerFollows(two))} later`);
      expectCountedOnce(name, [before, meanwhile, await app.spend(caller, LIMIT)]);
      await over;
    }
    const phases = await load.stop();
    process.stdout.write(`${tableOf(phases)}\n${times.join('\n')}\n`);
    expect(load.failures).toEqual([]);
    expect(app.answers.wrong).toEqual([]);
    for (const { name, requests } of phases)
      expect([name, requests >= 0.9 * PER_SECOND * (PHASE_MS / 1_000)]).toEqual([name, true]);
  }, 120_000);

  it('neither has logged more than a handful of lines about it, and both end in order while Redis hangs', async () => {
    const children = app.processes.map(({ child }) => child);
    await redis.kill('SIGSTOP');
    try {
      for (const child of children) child.kill('SIGTERM');
      const exits = await Promise.all(children.map(child => child.exit));
      expect(exits).toEqual(Array(2).fill({ code: 0, signal: null }));
    } finally {
      await redis.kill('SIGCONT');
    }
    for (const [at, { lines }] of children.entries()) {
      const records = lines.map(line => JSON.parse(line) as LogLine);
      // The access log warns of what took long on a busy machine.
      const told = records
        .filter(({ level, logger }) => level !== 'info' && logger !== 'access')
        .map(({ level, msg }) => `${level}: ${msg}`)
        .filter(line => !line.startsWith('error: PUT /api/v1/banner/'));
      // Flags are taken from the snapshot where Redis has not answered by the time that they are asked for.
      for (const line of told)
        expect(line).toMatch(/^warn: (redis|cache|rate-limit|feature-flags|The flags of version \d+ are taken from)\b/);
      const named = (text: string) => told.filter(line => line.startsWith(`warn: ${text}`)).length;
      const outages = OUTAGES[at]!;
      expect(named('redis is away: ')).toBeGreaterThanOrEqual(outages);
      expect(named('redis is away: no answer within 50 ms')).toBeGreaterThanOrEqual(1);
      expect(named('rate-limit decides without Redis')).toBeGreaterThanOrEqual(outages);
      expect(named('cache is degraded: served from memory and the loaders')).toBeGreaterThanOrEqual(outages);
      expect(named('feature-flags is degraded: Redis is away; version ')).toBeGreaterThanOrEqual(outages);
      expect(told.slice(MOST_LINES)).toEqual([]);
    }
  }, 60_000);
});

interface LogLine {
  readonly level: string;
  readonly logger: string;
  readonly msg: string;
}
