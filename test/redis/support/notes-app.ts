import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, eventually, runChild } from '@core-infra/testing';
import { Answers } from './answers.js';
import { SteadyLoad } from './steady-load.js';

/** Of each caller, for a day. */
export const LIMIT = 100;

/** Where cache, limits and flags stand when nothing is wrong. */
export const together = { cache: 'ready', owed: 0, limits: 'redis', flags: 'up' };
/** It goes on by itself, and owes the others what it invalidates. */
export const alone = { cache: 'away', limits: 'local' };

/** What became of units that were asked for: who let them pass? */
export interface Spent {
  readonly allowed: number;
  readonly byRedis: number;
  readonly alone: number;
}

/** One process of the app of `fixtures/notes.main.ts`. */
export class NotesProcess {
  private constructor(
    readonly child: Child,
    readonly url: string,
  ) {}

  static async start(folder: string, redis: Record<string, string>): Promise<NotesProcess> {
    const child = runChild(join(__dirname, '../fixtures/notes.main.ts'), {
      cwd: folder,
      env: {
        REDIS_URL: undefined,
        REDIS_ADDR: undefined,
        ...redis,
        SPEC_FOLDER: folder,
        NODE_ENV: 'production',
        HTTP_PORT: '0',
        HEALTH_NETWORKS: '127.0.0.1',
        HEALTH_CACHE_MS: '0',
        RATE_LIMIT_REQUESTS: '10000000',
        SHUTDOWN_DELAY_MS: '0',
      },
    });
    const [, port] = await child.waitForLine(/Listening on http:\/\/[^"]+:(\d+)/);
    return new NotesProcess(child, `http://127.0.0.1:${port}`);
  }

  /** What an operator sees: where cache, limits and flags stand. */
  async state(): Promise<object> {
    const { checks } = (await (await fetch(`${this.url}/health`)).json()) as { checks: Record<string, Check> };
    return {
      cache: checks['cache']?.details?.shared,
      owed: checks['cache']?.details?.owedInvalidations,
      limits: checks['rate-limit']?.details?.decides,
      flags: checks['feature-flags']?.status,
    };
  }

  async read(id: string): Promise<{ text: string; banner: boolean }> {
    return (await (await fetch(`${this.url}/api/v1/notes/${id}`)).json()) as { text: string; banner: boolean };
  }

  async put(path: string): Promise<void> {
    const response = await fetch(`${this.url}/api/v1/${path}`, { method: 'PUT' });
    expect([path, response.status]).toEqual([path, 200]);
  }

  /** Takes one unit of a caller's limit. */
  async take(caller: string): Promise<{ allowed: boolean; by: string }> {
    return (await (await fetch(`${this.url}/api/v1/counted/${caller}`)).json()) as { allowed: boolean; by: string };
  }
}

interface Check {
  readonly status: string;
  readonly details?: { readonly shared?: string; readonly owedInvalidations?: number; readonly decides?: string };
}

/** Two processes of the app, and what they have been told. */
export class NotesApp implements AsyncDisposable {
  readonly answers: Answers;
  private banner = false;

  private constructor(
    readonly processes: readonly [NotesProcess, NotesProcess],
    private readonly folder: string,
  ) {
    const notes = ids('long').map((id): [string, string] => [id, 'first']);
    this.answers = new Answers(
      processes.map(({ url }) => url),
      notes,
    );
  }

  /** @param redis the environment of each, which says where its Redis is */
  static async start(redis: readonly [Record<string, string>, Record<string, string>]): Promise<NotesApp> {
    const folder = await mkdtemp(join(tmpdir(), 'notes-'));
    await Promise.all([...ids('long'), ...ids('short')].map(id => writeFile(join(folder, id), 'first')));
    const [one, two] = await Promise.all(redis.map(address => NotesProcess.start(folder, address)));
    const app = new NotesApp([one!, two!], folder);
    await eventually(() => app.isTogether());
    return app;
  }

  /** Reads of all notes, in turn of the processes, each answer checked. */
  load(perSecond: number): SteadyLoad {
    return new SteadyLoad(perSecond, at => {
      const { url } = this.processes[at % 2]!;
      const id = `${at % 4 < 2 ? 'long' : 'short'}-${(at * 7) % 100}`;
      const read = this.answers.asked(url, id);
      return { url: `${url}/api/v1/notes/${id}`, answered: body => read((JSON.parse(body) as { text: string }).text) };
    });
  }

  /** Writes the notes from this one on, five in each process. */
  async write(from: number, text: string): Promise<void> {
    for (let at = 0; at < 10; at += 1) {
      const by = this.processes[at % 2]!;
      const id = `long-${from + at}`;
      await this.answers.write(by.url, id, text, () => by.put(`notes/${id}/${text}`));
    }
  }

  /** Asks for so many units of a caller's limit, in turn of the processes. */
  async spend(caller: string, times: number): Promise<Spent> {
    const asked = Array.from({ length: times }, (_, at) => this.processes[at % 2]!.take(caller));
    const passed = (await Promise.all(asked)).filter(({ allowed }) => allowed);
    const byRedis = passed.filter(({ by }) => by === 'redis').length;
    return { allowed: passed.length, byRedis, alone: passed.length - byRedis };
  }

  /** Who changes a flag in the moment in which Redis is late is told so, and tries again. */
  async toggleBanner(): Promise<void> {
    this.banner = !this.banner;
    await eventually(() => this.processes[0].put(`banner/${this.banner ? 'on' : 'off'}`));
  }

  bannerFollows(by: NotesProcess): Promise<void> {
    return eventually(async () => expect((await by.read('long-0')).banner).toBe(this.banner));
  }

  async isTogether(): Promise<void> {
    for (const process of this.processes) expect(await process.state()).toEqual(together);
  }

  /** From now on, nothing that is older than what was written last may be read anywhere. */
  async agrees(timeoutMs?: number): Promise<void> {
    await eventually(
      async () => {
        await this.isTogether();
        const written = [...this.answers.notes].filter(([, text]) => text !== 'first');
        for (const process of this.processes) {
          const read = await Promise.all(written.map(async ([id]) => [id, (await process.read(id)).text] as const));
          expect([process.url, read]).toEqual([process.url, written]);
        }
      },
      { timeoutMs },
    );
    this.answers.allAgree();
  }

  /** Its processes end with the spec file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.processes.map(({ child }) => child[Symbol.asyncDispose]()));
    await rm(this.folder, { recursive: true });
  }
}

/**
 * That a limit was counted once: what was let pass without Redis is not charged to it, and what it has counted though its answer was lost,
 * it has counted once.
 */
export function expectCountedOnce(name: string, spent: readonly Spent[]): void {
  const byRedis = spent.reduce((sum, part) => sum + part.byRedis, 0);
  const atMost = byRedis + spent.reduce((sum, part) => sum + part.alone, 0);
  expect([name, byRedis <= LIMIT, atMost >= LIMIT]).toEqual([name, true, true]);
}

/** How long it took, for people. */
export async function took(what: () => Promise<unknown>): Promise<string> {
  const since = performance.now();
  await what();
  return `${Math.round(performance.now() - since)} ms`;
}

function ids(kind: string): string[] {
  return Array.from({ length: 100 }, (_, at) => `${kind}-${at}`);
}
