import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { ServiceStateError } from '../errors.js';
import { socketPath } from './folders.js';
import type { Command } from './service.definition.js';

/** What the guard (guard.cjs) is told once, at its start. */
export interface GuardSettings {
  /** Whether the folder stays when the last lease is gone. */
  keepData: boolean;
  /** How long the server outlives its last lease, in milliseconds. */
  lingerMs: number;
  endSignal: NodeJS.Signals;
  /** How long the server may take to end before it is killed, in milliseconds. */
  endTimeoutMs: number;
  cleanUp?: [string, ...string[]];
}

/** What `guard.json` in the server's folder holds while a guard is there. */
export interface GuardState extends GuardSettings {
  socket: string;
  guardPid?: number;
  serverPid?: number;
}

interface Reply {
  id?: number;
  ok?: Record<string, unknown>;
  error?: string;
}

/**
 * A lease on a guarded server: for as long as the connection is there, the server is. It does not keep this process alive,
 * except while an answer is awaited.
 */
export class Guard {
  #next = 0;
  readonly #waiting = new Map<number, { resolve(value: Record<string, unknown>): void; reject(error: Error): void }>();
  readonly #closed: Promise<void>;

  private constructor(
    private readonly socket: Socket,
    readonly state: GuardState,
  ) {
    this.#closed = new Promise(resolve => socket.once('close', () => resolve()));
    createInterface({ input: socket })
      .on('line', line => this.#receive(JSON.parse(line) as Reply))
      .on('error', error => socket.destroy(error));
    socket.on('error', () => undefined).on('close', () => this.#abandon());
    socket.unref();
  }

  /** Starts a guard for the folder and takes the first lease. */
  static async start(folder: string, settings: GuardSettings): Promise<Guard> {
    const state: GuardState = { ...settings, socket: socketPath(folder) };
    writeFileSync(guardFile(folder), JSON.stringify(state), { mode: 0o600 });
    const log = openSync(join(folder, 'guard.log'), 'a', 0o600);
    const guard = spawn(process.execPath, [require.resolve('@core-infra/testing/guard'), folder], {
      detached: true,
      stdio: ['pipe', 'pipe', log],
      windowsHide: true,
      env: { ...process.env, NODE_OPTIONS: '' },
    }) as ChildProcessByStdio<Writable, Readable, null>;
    closeSync(log);
    await Promise.race([once(guard.stdout, 'data'), once(guard, 'exit')]);
    const lease = await Guard.connect(folder);
    if (!lease)
      throw new ServiceStateError(
        `The guard of ${folder} does not answer.`,
        readFileSync(join(folder, 'guard.log'), 'utf8'),
      );
    guard.stdin.destroy();
    guard.stdout.destroy();
    guard.unref();
    return lease;
  }

  /** A further lease on a server that somebody else has started; `undefined` when no guard is there. */
  static async connect(folder: string): Promise<Guard | undefined> {
    const state = readGuardState(folder);
    if (!state) return undefined;
    const socket = createConnection(state.socket);
    try {
      await once(socket, 'connect');
      const guard = new Guard(socket, readGuardState(folder) ?? state);
      await guard.#ask('state');
      return guard;
    } catch {
      // Nobody listens any more, or not for much longer: the guard is gone or about to go.
      socket.destroy();
      return undefined;
    }
  }

  /** Runs a command to its end inside of the guard's reach. */
  async run(command: Command): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return (await this.#ask('run', { ...command })) as { code: number | null; signal: NodeJS.Signals | null };
  }

  async start(command: Command): Promise<number> {
    return (await this.#ask('start', { ...command })).pid as number;
  }

  async stop(signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
    await this.#ask('stop', { signal, timeoutMs });
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#ask('kill', { signal });
  }

  async pid(): Promise<number | undefined> {
    return (await this.#ask('state')).pid as number | undefined;
  }

  /** Gives this lease back; the server stays while there are others. */
  release(): void {
    this.socket.destroy();
  }

  /** Gives this lease back and, when it was the last, resolves when nothing of the server is left. */
  async leave(): Promise<void> {
    await this.#askOrClosed('leave');
    this.release();
  }

  /** Stops the server for everybody and resolves when nothing of it is left. */
  async end(): Promise<void> {
    await this.#askOrClosed('end');
    await this.#closed;
  }

  /** For what makes the guard end: the closed connection is the answer. */
  async #askOrClosed(action: string): Promise<void> {
    if (this.socket.destroyed) return;
    await this.#ask(action).catch(error => {
      if (!this.socket.destroyed) throw error;
    });
  }

  #ask(action: string, details: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    if (this.socket.destroyed) return Promise.reject(gone());
    const id = ++this.#next;
    this.socket.ref();
    return new Promise<Record<string, unknown>>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.socket.write(`${JSON.stringify({ id, do: action, ...details })}\n`);
    }).finally(() => {
      if (this.#waiting.size === 0) this.socket.unref();
    });
  }

  #receive(reply: Reply): void {
    if (reply.id === undefined) return;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.error === undefined) waiting?.resolve(reply.ok ?? {});
    else waiting?.reject(new ServiceStateError(`The guard could not do it: ${reply.error}.`, 'See the server’s log.'));
  }

  #abandon(): void {
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }
}

/** The state of the guard of a folder; `undefined` when there is none. */
export function readGuardState(folder: string): GuardState | undefined {
  try {
    return JSON.parse(readFileSync(guardFile(folder), 'utf8')) as GuardState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function guardFile(folder: string): string {
  return join(folder, 'guard.json');
}

function gone(): ServiceStateError {
  return new ServiceStateError('The server’s guard is gone.', 'Start the server again.');
}
