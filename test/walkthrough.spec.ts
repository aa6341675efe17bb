import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runChild, usePostgres } from '@core-infra/testing';

const root = join(__dirname, '..');
/** Building the app is part of `npm start`. */
const START_TIMEOUT_MS = 300_000;

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
  readonly env: Record<string, string>;
}

/** Runs the steps in one shell, as whoever reads them does, and returns what each has printed. */
async function run(steps: readonly Step[], places: Places): Promise<string[]> {
  const script = steps
    .map(({ script }) => script.replaceAll(':3000', `:${places.api}`).replaceAll(':3082', `:${places.worker}`))
    .map(text => `${text}\nprintf '\\036'`)
    .join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: root,
    env: { ...process.env, ...places.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH']}` },
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

describe('npm start', () => {
  const postgres = usePostgres();

  it(
    'prints what it stands on and where it is, does all that the walk-throughs say, starts again what they kill, and ends on Ctrl-C',
    async () => {
      const env = { POSTGRES_DSN: postgres.url, NODE_ENV: 'development' };
      const child = runChild(join(root, 'tools', 'run.js'), {
        args: ['start'],
        cwd: root,
        env: { ...env, HTTP_PORT: '0', LOG_LEVEL: undefined },
      });
      const [, worker] = await child.waitForLine(/^orders-worker +http:\/\/localhost:(\d+)\/api\/v1$/);
      const [, port] = await child.waitForLine(/^orders-api +http:\/\/localhost:(\d+)\/api\/v1$/);
      await child.waitForLine(/^postgres +environment +127\.0\.0\.1:\d+\/\w+$/);
      expect(child.stdout.join('\n')).not.toContain(new URL(postgres.url).password);

      const places = { api: port!, worker: worker!, env };
      await follow(stepsOf('apps/orders-api/README.md', '## A walk through it', '## With a Redis'), 10, places);
      await follow(stepsOf('README.md', '## Try it', '## Commands'), 8, places);

      child.kill('SIGINT');
      expect(await child.exit).toEqual({ code: 0, signal: null });
      for (const gone of [port, worker]) await expect(fetch(`http://localhost:${gone}/health`)).rejects.toThrow();
    },
    START_TIMEOUT_MS,
  );
});
