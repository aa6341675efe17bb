import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, runChild, usePostgres } from '@core-infra/testing';

const root = join(__dirname, '..');
/** Building the app is part of `npm start`. */
const START_TIMEOUT_MS = 600_000;

interface Step {
  readonly script: string;
  readonly expected: string | undefined;
}

/** The `sh` blocks of a document between two headings, each with the block below it, which is what it prints. */
function stepsOf(document: string, from: string, to: string): Step[] {
  const markdown = readFileSync(join(root, document), 'utf8');
  const section = markdown.slice(markdown.indexOf(from), markdown.indexOf(to));
  const blocks = [...section.matchAll(/^```(sh|json|text)\n(.*?)^```$/gms)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }));
  return blocks.flatMap(({ language, text }, index) => {
    const next = blocks[index + 1];
    const expected = next && next.language !== 'sh' ? next.text : undefined;
    return language === 'sh' ? [{ script: text, expected }] : [];
  });
}

/** Where the apps listen, and what commands find in their environment. */
interface Places {
  readonly api: string;
  readonly worker: string;
  /** Where `.dev-services/` is. */
  readonly home: string;
}

/** Runs the steps in one shell, as whoever reads them does, and returns what each has printed. */
async function run(steps: readonly Step[], places: Places): Promise<string[]> {
  const script = steps
    .map(({ script }) => script.replaceAll(':3000', `:${places.api}`).replaceAll(':3082', `:${places.worker}`))
    .map(script => script.replaceAll(/(?<= )\.dev-services\//g, `${places.home}/.dev-services/`))
    .map(text => `${text}\nprintf '\\036'`)
    .join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: root,
    // Addresses are in what `npm start` notes.
    env: {
      ...process.env,
      POSTGRES_DSN: undefined,
      NODE_ENV: 'development',
      PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH']}`,
    },
  });
  return stdout.split('\u001e').slice(0, -1);
}

/** `…` stands for whatever is there. */
function withoutWildcards(expected: unknown, actual: unknown): unknown {
  if (expected === '…') return actual === undefined ? expected : actual;
  if (Array.isArray(expected))
    return expected.map((item, index) => withoutWildcards(item, (actual as unknown[] | undefined)?.[index]));
  if (typeof expected !== 'object' || expected === null) return expected;
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => [
      key,
      withoutWildcards(value, (actual as Record<string, unknown> | undefined)?.[key]),
    ]),
  );
}

/** Runs the steps, of which there are at least so many, and compares what each printed with what stands below it. */
async function follow(steps: readonly Step[], atLeast: number, places: Places): Promise<void> {
  expect(steps.length).toBeGreaterThanOrEqual(atLeast);
  const printed = await run(steps, places);
  steps.forEach(({ script, expected }, index) => {
    const actual = printed[index]!;
    if (expected === undefined) return expect([script, actual]).toEqual([script, '']);
    if (!isJson(expected)) return expect([script, actual.trim()]).toEqual([script, expected.trim()]);
    const answer: unknown = JSON.parse(actual);
    return expect([script, answer]).toEqual([script, withoutWildcards(JSON.parse(expected), answer)]);
  });
}

const isJson = (text: string): boolean => /^\{\s*"/.test(text);

/** `npm start`, and where it listens. */
async function start(env: Record<string, string | undefined>): Promise<{ child: Child; api: string; worker: string }> {
  const child = runChild(join(root, 'tools', 'run.js'), {
    args: ['start'],
    cwd: root,
    env: { NODE_ENV: 'development', HTTP_PORT: '0', LOG_LEVEL: undefined, POSTGRES_DSN: undefined, ...env },
  });
  const [, worker] = await child.waitForLine(/^orders-worker +http:\/\/localhost:(\d+)\/api\/v1$/);
  const [, api] = await child.waitForLine(/^orders-api +http:\/\/localhost:(\d+)\/api\/v1$/);
  return { child, api: api!, worker: worker! };
}

/** Ctrl-C. @returns how it ended, with what it said where that was not in order */
async function ended({ child, api, worker }: Awaited<ReturnType<typeof start>>): Promise<object> {
  child.kill('SIGINT');
  const { code, signal } = await child.exit;
  for (const gone of [api, worker]) await expect(fetch(`http://localhost:${gone}/health`)).rejects.toThrow();
  return { code, signal, said: code === 0 ? [] : child.stdout.filter(line => !line.includes('"level":"info"')) };
}

describe('npm start', () => {
  let home: string;
  const postgres = usePostgres();

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'core-infra-start-'));
    // The server of a user of its own has to pass.
    await chmod(home, 0o711);
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  it(
    'on a PostgreSQL of its own does all that the walk-throughs say, starts again what they kill, and ends on Ctrl-C',
    async () => {
      const started = await start({ CORE_INFRA_START_HOME: home });
      await started.child.waitForLine(/^postgres +embedded +127\.0\.0\.1:\d+\/\w+$/);
      const places = { ...started, home };
      await follow(stepsOf('apps/orders-api/README.md', '## A walk through it', '## With a Redis'), 10, places);
      await follow(stepsOf('README.md', '## Try it', '## Commands'), 8, places);
      expect(await ended(started)).toEqual({ code: 0, signal: null, said: [] });
    },
    START_TIMEOUT_MS,
  );

  it(
    'on the PostgreSQL of the environment says so, and never its password',
    async () => {
      const started = await start({ CORE_INFRA_START_HOME: home, POSTGRES_DSN: postgres.url });
      await started.child.waitForLine(/^postgres +environment +127\.0\.0\.1:\d+\/\w+$/);
      expect(started.child.stdout.join('\n')).not.toContain(new URL(postgres.url).password);
      expect(await readFile(join(home, '.dev-services', 'env.sh'), 'utf8')).toBe('');
      expect(await ended(started)).toEqual({ code: 0, signal: null, said: [] });
    },
    START_TIMEOUT_MS,
  );
});
