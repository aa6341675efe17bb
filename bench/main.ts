import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cases } from './cases/index.js';
import { killChildren } from './harness/child.js';
import { describeMachine } from './harness/machine.js';
import { type Options, parseOptions, usage, UsageError } from './harness/options.js';
import { type Report, toMarkdown } from './harness/report.js';
import { type CaseResult, runCase } from './harness/run-case.js';

// The tables go to standard output, progress to standard error.

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(
    args,
    cases.map(({ name }) => name),
  );
  if (options.help) {
    console.log(usage);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'core-infra-bench-'));
  try {
    const report = await run(options, folder, args);
    console.log(toMarkdown(report));
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(
  { cases: wanted, rounds, quick }: Options,
  folder: string,
  args: readonly string[],
): Promise<Report> {
  const machine = describeMachine();
  const results: CaseResult[] = [];
  for (const bench of cases.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const effort = { quick, folder };
    const progress = (line: string) => console.error(line);
    results.push(await runCase(bench, { rounds: rounds ?? bench.rounds, effort, progress, signal: stopped.signal }));
  }
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  return { machine, command, quick, cases: results };
}

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    stopped.abort(signal);
    killChildren();
  });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (stopped.signal.aborted) {
    process.exitCode = 128 + constants.signals[stopped.signal.reason as NodeJS.Signals];
    return;
  }
  console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : error);
  process.exitCode = 1;
});
