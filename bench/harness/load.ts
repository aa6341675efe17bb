import { resolve } from 'node:path';
import { Child } from './child.js';

/** Each connection sends its next request when the last one was answered: as many as the server can do. */
export interface Saturation {
  readonly kind: 'saturate';
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}

/** Requests at fixed times, whether or not earlier ones were answered. */
export interface Pace {
  readonly kind: 'pace';
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface LoadResult {
  /** Answers with status 2xx. */
  readonly requests: number;
  readonly seconds: number;
  /** CPU time of the load's own process, in microseconds: near all of the time means that it, not the server, was the limit. */
  readonly loadCpuUs: number;
  /** Latencies, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The longest that a load may be asked to last, in seconds: a bench always ends by itself. */
const MAX_SECONDS = 60;

/** The source of requests, in a process of its own. */
export class Load implements AsyncDisposable {
  private readonly child: Child;

  constructor(folder: string) {
    this.child = new Child(resolve(__dirname, 'load.main.js'), { cwd: folder });
  }

  /** @throws Error when an answer was not 2xx, or a request failed */
  async run(load: Saturation | Pace): Promise<LoadResult> {
    if (load.seconds > MAX_SECONDS) throw new RangeError(`A load of ${load.seconds} s; at most ${MAX_SECONDS} s.`);
    return this.child.ask<LoadResult>(load, load.seconds * 1_000 + 20_000);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child[Symbol.asyncDispose]();
  }
}
