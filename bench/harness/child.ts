import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ChildOptions {
  /** On top of `NODE_ENV=production`, PATH and the temporary folder; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** File that its standard output goes to; without one it is thrown away. */
  readonly stdout?: string;
  /** Arguments of Node itself. */
  readonly execArgv?: readonly string[];
  /** Its working directory, so that it finds no configuration of this repository. */
  readonly cwd: string;
}

/** What a child's answer looks like on the wire. */
export type Answer = { readonly answer: unknown } | { readonly failure: string };

/** How long a child may take to end when it is asked to, in milliseconds. */
const END_MS = 5_000;
const STDERR_KEPT = 4_000;

const running = new Set<ChildProcess>();

/** Ends every child at once; what waits for one of them fails. */
export function killChildren(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** A process of a benchmark, which answers one question at a time and ends when this process does. */
export class Child implements AsyncDisposable {
  private readonly process: ChildProcess;
  private readonly exited: Promise<void>;
  private errors = '';

  constructor(
    private readonly file: string,
    { env, stdout, execArgv = [], cwd }: ChildOptions,
  ) {
    const output = stdout === undefined ? 'ignore' : openSync(stdout, 'w');
    const stdio: StdioOptions = ['ignore', output, 'pipe', 'ipc'];
    const { PATH = '', TMPDIR = tmpdir() } = process.env;
    this.process = fork(file, [], {
      stdio,
      cwd,
      execArgv: [...execArgv],
      env: { PATH, TMPDIR, NODE_ENV: 'production', ...env },
    });
    if (typeof output === 'number') closeSync(output);
    running.add(this.process);
    const stderr = this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.errors = (this.errors + text).slice(-STDERR_KEPT);
    });
    // Not the event `close`, which does not come when this side has closed the channel.
    this.exited = Promise.all([once(this.process, 'exit'), once(stderr, 'close')]).then(
      () => void running.delete(this.process),
    );
  }

  /** @throws Error with the child's own words when it fails, ends or takes longer than `timeoutMs` milliseconds. */
  async ask<T>(question: unknown, timeoutMs: number): Promise<T> {
    const settled = new AbortController();
    const { signal } = settled;
    const answer = once(this.process, 'message', { signal }).then(([message]) => message as Answer);
    const ended = this.exited.then(() => ({ failure: 'it has ended' }));
    const late = sleep(timeoutMs, { failure: `no answer within ${timeoutMs} ms` }, { signal });
    try {
      this.process.send(question as object, () => {}); // a child that is gone is reported by its end
      const first: Answer = await Promise.race([answer, ended, late]);
      if ('failure' in first) throw new Error(`${this.file}: ${first.failure}\n${this.errors}`.trimEnd());
      return first.answer as T;
    } finally {
      settled.abort();
      await Promise.allSettled([answer, late]);
    }
  }

  /** Asks it to end, and sees to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.connected) this.process.disconnect();
    const settled = new AbortController();
    const killed = sleep(END_MS, undefined, settled).then(
      () => this.process.kill('SIGKILL'),
      () => undefined, // it ended in time
    );
    await this.exited;
    settled.abort();
    await killed;
  }
}
