import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, eventually, runChild, uniqueName, useRedisServer, useToxiproxy } from '@core-infra/testing';
import { Answers } from './support/answers.js';
import { SteadyLoad, tableOf } from './support/steady-load.js';

const PER_SECOND = 500;
/** How long each phase lasts at least, so that its p99 stands on 750 requests. */
const PHASE_MS = 1_500;
const SPENT = 30;
const SPENT_MEANWHILE = 20;
/** Of each caller, for a day. */
const LIMIT = 100;
/** That each process sees of them; the last, in which they end, not counted. */
const OUTAGES = [2, 6];
/** Of each outage at most: five of health, two of the connections that subscribe, two that Redis is away, and as many when it comes and goes. */
const MOST_LINES = 12;

describe('two processes of an app over one Redis, at 500 requests a second', () => {
  // Durable, so that what was counted is there after a crash.
  const redis = useRedisServer({ durable: true });
  const network = useToxiproxy(() => redis.url);
  let folder: string;
  let processes: Child[];
  let one: string;
  let two: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'notes-'));
    await Promise.all([...ids('long', 100), ...ids('short', 100)].map(id => writeFile(join(folder, id), 'first')));
    const { host, password } = new URL(network.url);
    processes = [{ REDIS_URL: redis.url }, { REDIS_ADDR: host, REDIS_PASSWORD: password }].map(address =>
      runChild(join(__dirname, 'fixtures/notes.main.ts'), {
        cwd: folder,
        env: {
          REDIS_URL: undefined,
          REDIS_ADDR: undefined,
          ...address,
          SPEC_FOLDER: folder,
          NODE_ENV: 'production',
          HTTP_PORT: '0',
          HEALTH_NETWORKS: '127.0.0.1',
          HEALTH_CACHE_MS: '0',
          RATE_LIMIT_REQUESTS: '10000000',
          SHUTDOWN_DELAY_MS: '0',
        },
      }),
    );
    [one, two] = (await Promise.all(
      processes.map(async child => {
        const [, port] = await child.waitForLine(/Listening on http:\/\/[^"]+:(\d+)/);
        return `http://127.0.0.1:${port}`;
      }),
    )) as [string, string];
    await eventually(async () => {
      for (const url of [one, two]) expect(await stateOf(url)).toEqual(together);
    });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('no request fails whatever becomes of Redis, nothing old is read once they agree again, limits are counted once, and flags follow', async () => {
    const both = [one, two];
    const answers = new Answers(
      both,
      ids('long', 100).map(id => [id, 'first']),
    );
    const load = new SteadyLoad(PER_SECOND, at => {
      const url = both[at % 2]!;
      const id = `${at % 4 < 2 ? 'long' : 'short'}-${(at * 7) % 100}`;
      const read = answers.asked(url, id);
      return { url: `${url}/api/v1/notes/${id}`, answered: body => read((JSON.parse(body) as { text: string }).text) };
    });
    const times: string[] = [];
    let banner = 'off';
    const sayBanner = async (state: 'on' | 'off') => {
      banner = state;
      await put(`${one}/api/v1/banner/${state}`);
    };
    const bannerFollows = (url: string) =>
      eventually(async () => {
        const { banner: isOn } = (await (await fetch(`${url}/api/v1/notes/long-0`)).json()) as { banner: boolean };
        expect(isOn).toBe(banner === 'on');
      });

    await using _ = load;
    load.enter('Redis is well');
    await sayBanner('on');
    times.push(`the flag is followed after ${await took(() => bannerFollows(two))}`);
    await sleep(PHASE_MS);

    const faults: [name: string, begin: () => Promise<void>, end: () => Promise<void>, away: string[]][] = [
      ['killed', () => redis.kill('SIGKILL'), () => redis.start(), both],
      ['hangs (SIGSTOP)', () => redis.kill('SIGSTOP'), () => redis.kill('SIGCONT'), both],
      ['answers 5 s late', () => network.latency(5_000), () => network.heal(), [two]],
      ['resets connections', () => network.resetPeer(), () => network.heal(), [two]],
      ['half-open', () => network.halfOpen(), () => network.heal(), [two]],
      ['down', () => network.down(), () => network.heal(), [two]],
    ];
    for (const [round, [name, begin, end, away]] of faults.entries()) {
      const caller = uniqueName('caller');
      const before = await spend(both, caller, SPENT);
      expect(before.allowed).toBe(SPENT);

      load.enter(name);
      const lasts = sleep(PHASE_MS);
      await begin();
      for (let at = 0; at < 5; at += 1) {
        const text = `round-${round}`;
        for (const [url, id] of [
          [one, `long-${round * 10 + at}`],
          [two, `long-${round * 10 + 5 + at}`],
        ] as const) {
          await answers.write(url, id, text, () => put(`${url}/api/v1/notes/${id}/${text}`));
        }
      }
      await eventually(async () => {
        for (const url of away) expect(await stateOf(url)).toMatchObject(alone);
      });
      const meanwhile = await spend(both, caller, SPENT_MEANWHILE);
      expect(meanwhile.allowed).toBe(SPENT_MEANWHILE);
      if (away.length === 1) await sayBanner(banner === 'on' ? 'off' : 'on');
      await bannerFollows(one);
      await lasts;

      await end();
      load.enter(`${name}, over`);
      const over = sleep(PHASE_MS);
      const agreed = await took(() =>
        eventually(async () => {
          for (const url of both) expect(await stateOf(url)).toEqual(together);
          const written = [...answers.notes].filter(([, text]) => text !== 'first');
          for (const url of both) {
            const read = await Promise.all(written.map(async ([id]) => [id, await textOf(url, id)] as const));
            expect([url, read]).toEqual([url, written]);
          }
        }),
      );
      answers.allAgree();
      times.push(`${name}: agree again after ${agreed}, the flag ${await took(() => bannerFollows(two))} later`);
      // What was let pass without Redis is not charged to it; what it has counted though its answer was lost, it has counted once.
      const after = await spend(both, caller, LIMIT);
      const counted = before.byRedis + meanwhile.byRedis + after.byRedis;
      expect([name, counted <= LIMIT]).toEqual([name, true]);
      expect([name, counted + before.alone + meanwhile.alone + after.alone >= LIMIT]).toEqual([name, true]);
      await over;
    }
    const phases = await load.stop();
    process.stdout.write(`${tableOf(phases)}\n${times.join('\n')}\n`);
    expect(load.failures).toEqual([]);
    expect(answers.wrong).toEqual([]);
    for (const { name, requests } of phases)
      expect([name, requests >= 0.9 * PER_SECOND * (PHASE_MS / 1_000)]).toEqual([name, true]);
  }, 120_000);

  it('neither has logged more than a handful of lines about it, and both end in order while Redis hangs', async () => {
    await redis.kill('SIGSTOP');
    try {
      for (const child of processes) child.kill('SIGTERM');
      const exits = await Promise.all(processes.map(child => child.exit));
      expect(exits).toEqual(Array(2).fill({ code: 0, signal: null }));
    } finally {
      await redis.kill('SIGCONT');
    }
    for (const [at, { lines }] of processes.entries()) {
      const records = lines.map(line => JSON.parse(line) as LogLine);
      const told = records.filter(({ level }) => level !== 'info').map(({ level, msg }) => `${level}: ${msg}`);
      for (const line of told)
        expect(line).toMatch(/^warn: (redis|cache|rate-limit|feature-flags)\b.* (away|without Redis)/);
      const named = (text: string) => told.filter(line => line.startsWith(`warn: ${text}`)).length;
      const outages = OUTAGES[at]!;
      expect(named('redis is away: ')).toBeGreaterThanOrEqual(outages);
      expect(named('redis is away: no answer within 50 ms')).toBeGreaterThanOrEqual(1);
      expect(named('rate-limit decides without Redis')).toBeGreaterThanOrEqual(outages);
      expect(named('cache is degraded: served from memory and the loaders')).toBeGreaterThanOrEqual(outages);
      expect(named('feature-flags is degraded: Redis is away; version ')).toBeGreaterThanOrEqual(outages);
      expect(told.length).toBeLessThanOrEqual(MOST_LINES * (outages + 1));
    }
  }, 60_000);
});

const together = { cache: 'ready', owed: 0, limits: 'redis', flags: 'up' };
/** It goes on by itself, and owes the others what it invalidates. */
const alone = { cache: 'away', limits: 'local' };

function ids(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${kind}-${at}`);
}

/** What an operator sees: where cache, limits and flags stand. */
async function stateOf(url: string): Promise<object> {
  const { checks } = (await (await fetch(`${url}/health`)).json()) as { checks: Record<string, Check> };
  return {
    cache: checks['cache']?.details?.shared,
    owed: checks['cache']?.details?.owedInvalidations,
    limits: checks['rate-limit']?.details?.decides,
    flags: checks['feature-flags']?.status,
  };
}

interface LogLine {
  readonly level: string;
  readonly msg: string;
}

interface Check {
  readonly status: string;
  readonly details?: { readonly shared?: string; readonly owedInvalidations?: number; readonly decides?: string };
}

async function textOf(url: string, id: string): Promise<string> {
  return ((await (await fetch(`${url}/api/v1/notes/${id}`)).json()) as { text: string }).text;
}

/** Asks for so many units of a limit, in turn of the processes, and says what became of them: who let them pass? */
async function spend(urls: readonly string[], caller: string, times: number): Promise<Spent> {
  const asked = Array.from({ length: times }, async (_, at) => {
    const response = await fetch(`${urls[at % urls.length]}/api/v1/counted/${caller}`);
    return (await response.json()) as { allowed: boolean; by: string };
  });
  const passed = (await Promise.all(asked)).filter(({ allowed }) => allowed);
  const byRedis = passed.filter(({ by }) => by === 'redis').length;
  return { allowed: passed.length, byRedis, alone: passed.length - byRedis };
}

interface Spent {
  readonly allowed: number;
  readonly byRedis: number;
  readonly alone: number;
}

async function put(url: string): Promise<void> {
  const response = await fetch(url, { method: 'PUT' });
  expect([url, response.status]).toEqual([url, 200]);
}

async function took(what: () => Promise<unknown>): Promise<string> {
  const since = performance.now();
  await what();
  return `${Math.round(performance.now() - since)} ms`;
}
