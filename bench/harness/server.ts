import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.js';

/** Since its start, as the process itself sees it. */
export interface Usage {
  /** CPU time of all its threads, in microseconds. */
  readonly cpuUs: number;
  /** Monotonic time, in milliseconds. */
  readonly atMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** From the start of the process until it listened, in milliseconds. */
  readonly bootMs: number;
  /** CPU time until then, in microseconds. */
  readonly bootCpuUs: number;
  /** What the server adds about itself. */
  readonly more: Readonly<Record<string, number>>;
}

export interface ServerOptions {
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly execArgv?: readonly string[];
}

const START_MS = 30_000;
const ANSWER_MS = 10_000;

/** A variant's server in a process of its own, on a free port of the loopback interface. */
export class Server implements AsyncDisposable {
  private constructor(
    private readonly child: Child,
    private readonly log: string,
    readonly url: string,
  ) {}

  /** @param main File of bench/servers, without its ending. Its standard output, the log, goes to a file. */
  static async start(main: string, { folder, env, execArgv }: ServerOptions): Promise<Server> {
    const log = resolve(folder, `${main}.log`);
    const child = new Child(resolve(__dirname, '../servers', `${main}.js`), {
      cwd: folder,
      stdout: log,
      ...(env && { env }),
      ...(execArgv && { execArgv }),
    });
    try {
      return new Server(child, log, await child.ask<string>('start', START_MS));
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  usage(): Promise<Usage> {
    return this.child.ask<Usage>('usage', ANSWER_MS);
  }

  /** How many lines it has logged. Waits for those which it still holds back. */
  async logLines(): Promise<number> {
    for (let before = -1; ;) {
      const lines = await countLines(this.log);
      if (lines === before) return lines;
      before = lines;
      await sleep(200);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child[Symbol.asyncDispose]();
  }
}

async function countLines(file: string): Promise<number> {
  let lines = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', at + 1)) lines += 1;
  }
  return lines;
}
