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

/** The `sh` blocks of the walk-through, each with the block below it, which is what it prints. */
function stepsOf(markdown: string): Step[] {
  const section = markdown.slice(markdown.indexOf('## A walk through it'), markdown.indexOf('## On its own'));
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

/** Runs the steps in one shell, as whoever reads them does, and returns what each has printed. */
async function run(steps: readonly Step[], url: string): Promise<string[]> {
  const script = steps
    .map(step => `${step.script.replaceAll('http://localhost:3000', url)}\nprintf '\\036'`)
    .join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH']}` },
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

describe('npm start', () => {
  const postgres = usePostgres();

  it(
    'prints what it stands on and where it is, does all that the walk-through says, and ends on Ctrl-C',
    async () => {
      const child = runChild(join(root, 'tools', 'run.js'), {
        args: ['start'],
        cwd: root,
        env: { POSTGRES_DSN: postgres.url, HTTP_PORT: '0', NODE_ENV: 'development', LOG_LEVEL: undefined },
      });
      const [, port] = await child.waitForLine(/^orders-api +http:\/\/localhost:(\d+)\/api\/v1$/);
      await child.waitForLine(/^postgres +environment +127\.0\.0\.1:\d+\/\w+$/);
      expect(child.stdout.join('\n')).not.toContain(new URL(postgres.url).password);

      const steps = stepsOf(readFileSync(join(root, 'apps', 'orders-api', 'README.md'), 'utf8'));
      expect(steps.length).toBeGreaterThan(8);
      const printed = await run(steps, `http://localhost:${port}`);
      steps.forEach(({ script, expected }, index) => {
        const actual = printed[index]!;
        if (expected === undefined) return expect([script, actual]).toEqual([script, '']);
        if (!expected.startsWith('{')) return expect([script, actual.trim()]).toEqual([script, expected.trim()]);
        const answer: unknown = JSON.parse(actual);
        return expect([script, answer]).toEqual([script, withoutWildcards(JSON.parse(expected), answer)]);
      });

      child.kill('SIGINT');
      expect(await child.exit).toEqual({ code: 0, signal: null });
      await expect(fetch(`http://localhost:${port}/health`)).rejects.toThrow();
    },
    START_TIMEOUT_MS,
  );
});
