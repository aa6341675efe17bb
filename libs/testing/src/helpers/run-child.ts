import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { ChildEndedError } from '../errors.js';

export interface RunChildOptions {
  /** Arguments of the program. */
  args?: readonly string[];
  /** On top of this process's environment; `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  /** @default the working directory of this process */
  cwd?: string;
  /** Arguments of Node itself. */
  execArgv?: readonly string[];
}

/** How a process ended. */
export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A Node process that a spec has started. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** All lines so far, of stdout and stderr, in the order of their arrival. */
  readonly lines: readonly string[];
  /** The lines of stdout alone. */
  readonly stdout: readonly string[];
  /** The process itself, for its streams. */
  readonly process: ChildProcess;
  /** Resolves when it has ended and all that it wrote has been read. */
  readonly exit: Promise<ChildExit>;
  /**
   * Resolves with the first line that matches, also one that is there already.
   * @throws {@link ChildEndedError} with its output when it ends before.
   */
  waitForLine(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Sends a signal; `await child.exit` for its effect. @default 'SIGTERM' */
  kill(signal?: NodeJS.Signals): void;
}

const running = new Set<Child>();
// Hooks cannot be added once a spec runs, so this one is added when the file is loaded; outside of Jest there are none.
if (typeof afterAll === 'function') {
  afterAll(() => Promise.all([...running].map(child => child[Symbol.asyncDispose]())));
}

/**
 * Runs a JavaScript or TypeScript file as a process of its own, TypeScript with decorators and the workspace's packages from
 * source. It is killed at the end of the file if it is still there, or at the end of the block with `await using`.
 */
export function runChild(file: string, { args = [], env, cwd, execArgv = [] }: RunChildOptions = {}): Child {
  const typescript = extname(file) === '.ts' ? sourceArguments() : [];
  const child = spawn(process.execPath, [...typescript, ...execArgv, resolve(file), ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const stdout: string[] = [];
  const watchers = new Set<() => void>();
  const collect = (line: string, ...into: string[][]): void => {
    for (const list of into) list.push(line);
    for (const look of watchers) look();
  };
  createInterface({ input: child.stdout }).on('line', line => collect(line, lines, stdout));
  createInterface({ input: child.stderr }).on('line', line => collect(line, lines));
  const exit = once(child, 'close').then(([code, signal]) => ({ code, signal }) as ChildExit);

  const waitForLine = (pattern: RegExp): Promise<RegExpMatchArray> =>
    new Promise((done, fail) => {
      const look = (): void => {
        const match = lines.map(line => line.match(pattern)).find(found => found !== null);
        if (match) finish(() => done(match));
      };
      const finish = (settle: () => void): void => {
        watchers.delete(look);
        settle();
      };
      watchers.add(look);
      look();
      exit.then(
        ({ code, signal }) =>
          finish(() => fail(new ChildEndedError(file, pattern, `ended with ${signal ?? code}`, lines.join('\n')))),
        error => finish(() => fail(error as Error)),
      );
    });

  const handle: Child = {
    pid: child.pid ?? 0,
    lines,
    stdout,
    process: child,
    exit,
    waitForLine,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      running.delete(handle);
      child.kill('SIGKILL');
      await exit;
    },
  };
  running.add(handle);
  exit.then(
    () => running.delete(handle),
    () => running.delete(handle),
  );
  return handle;
}

function sourceArguments(): string[] {
  return ['--conditions=core-infra-source', '--require', require.resolve('@core-infra/testing/register')];
}
