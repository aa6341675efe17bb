import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommanderError } from 'commander';
import { findAppFile } from './app/app.file.js';
import { NestApp } from './app/nest.app.js';
import { type CommandPackage, installedPackages } from './discovery/installed.packages.js';
import { type FoundCommand, loadCommands } from './discovery/load-commands.js';
import type { Manifest } from './files.js';
import { humanOutput, jsonOutput, type Streams } from './output/cli.output.js';
import { printError } from './output/print-error.js';
import { type Invocation, makeProgram, words } from './program.js';

export interface CliRun {
  /** Without `node` and the script. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly streams: Streams;
  /** Aborts when the user wants the command to end. */
  readonly signal: AbortSignal;
}

/** Options that come before a command and are followed by a value. `--config-dir` is the configuration's own, which reads it by itself. */
const takesValue: ReadonlySet<string> = new Set(['--app', '--config-dir']);

/** Done · something failed · a problem was found, or the command line makes no sense. */
export const exitCodes = { ok: 0, error: 1, problem: 2 } as const;

/** Runs one command line to its end. Never rejects: what goes wrong is printed, and is in the exit code. */
export async function runCli({ argv, cwd, env, streams, signal }: CliRun): Promise<number> {
  const style = { json: flagged(argv, '--json'), verbose: flagged(argv, '--verbose') };
  let code: number = exitCodes.ok;
  try {
    const appFile = findAppFile(valueOf(argv, '--app'), cwd, env);
    const found = await findCommands(argv, cwd, appFile, streams);
    const run = async (invocation: Invocation) => {
      code = (await execute(invocation, appFile, style.json, streams, signal)) ?? exitCodes.ok;
    };
    await makeProgram(version(), found, streams, run).parseAsync(argv.length > 0 ? argv : ['--help'], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.problem;
    printError(error, streams, style);
    return exitCodes.error;
  }
}

async function execute(
  { command, args, options }: Invocation,
  appFile: string | undefined,
  json: boolean,
  streams: Streams,
  signal: AbortSignal,
): Promise<number | void> {
  const app = new NestApp(appFile, line => streams.err(`${line}\n`));
  try {
    const output = json ? jsonOutput(streams) : humanOutput(streams);
    return await command.run({
      app: { inspect: () => app.inspect(), boot: () => app.boot() },
      output,
      args,
      options,
      signal,
    });
  } finally {
    await app.close();
  }
}

/** A package that names the first words of its commands is loaded only for them; help, and a word that nobody has, want all. */
async function findCommands(
  argv: readonly string[],
  cwd: string,
  appFile: string | undefined,
  { err }: Streams,
): Promise<FoundCommand[]> {
  const word = argv.find((arg, at) => !arg.startsWith('-') && !takesValue.has(argv[at - 1] ?? ''));
  const found: FoundCommand[] = [];
  const load = async (packages: readonly CommandPackage[]) => {
    for (const candidate of packages) {
      try {
        found.push(...(await loadCommands(candidate, appFile)));
      } catch (error) {
        // One broken package must not take the commands of the others along.
        printError(error, { out: err, err }, { json: false, verbose: flagged(argv, '--verbose') });
      }
    }
  };
  const packages = reachable(cwd, appFile);
  const mayHave = ({ manifest: { coreInfra } }: CommandPackage) =>
    word !== undefined && (!Array.isArray(coreInfra?.cli) || coreInfra.cli.includes(word));
  await load(packages.filter(mayHave));
  const known = found.some(({ command }) => words(command.usage)[0] === word);
  if (!known) await load(packages.filter(candidate => !mayHave(candidate)));
  return found;
}

function reachable(cwd: string, appFile: string | undefined): CommandPackage[] {
  const found = new Map<string, CommandPackage>();
  for (const from of appFile === undefined ? [cwd] : [dirname(appFile), cwd])
    for (const candidate of installedPackages(from))
      if (!found.has(candidate.name)) found.set(candidate.name, candidate);
  return [...found.values()];
}

function version(): string {
  const { version: own } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as Manifest;
  return own ?? 'unknown';
}

function flagged(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes(flag);
}

/** What commander will find as well; it is needed before, as the app says where the commands are. */
function valueOf(argv: readonly string[], flag: string): string | undefined {
  const at = argv.findIndex(arg => arg === flag || arg.startsWith(`${flag}=`));
  if (at < 0) return undefined;
  return argv[at] === flag ? argv[at + 1] : argv[at]!.slice(flag.length + 1);
}
