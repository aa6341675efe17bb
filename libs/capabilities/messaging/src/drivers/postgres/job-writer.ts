import type { Jobs, NewJob } from './jobs.js';

interface Waiting {
  readonly jobs: readonly NewJob[];
  readonly signal: AbortSignal;
  readonly settle: (error: Error | undefined) => void;
}

const atOnce = 1_000;
const bytesAtOnce = 8 * 1024 * 1024;

/**
 * Inserts jobs in the order in which they are given: what comes while an insert is under way goes together in the next. That keeps the order of calls
 * that do not wait for each other, and spares the database commits.
 */
export class JobWriter {
  private readonly waiting: Waiting[] = [];
  private isWriting = false;

  constructor(
    private readonly jobs: Jobs,
    /** Tells of queues into which something was put. */
    private readonly stirred: (queue: string, due: number | null) => void,
  ) {}

  /** Resolves with why they are not in the table, if they are not; all of them or none. */
  write(jobs: readonly NewJob[], signal: AbortSignal): Promise<Error | undefined> {
    return new Promise(settle => {
      this.waiting.push({ jobs, signal, settle });
      if (!this.isWriting) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isWriting = true;
    while (this.waiting.length > 0) {
      const batch = this.nextBatch();
      if (batch.length === 0) continue;
      const error = await this.insert(batch);
      // One that the database refuses for what it is must not fail the others.
      if (error && batch.length > 1 && !isPassing(error)) {
        for (const one of batch) one.settle(await this.insert([one]));
      } else for (const { settle } of batch) settle(error);
    }
    this.isWriting = false;
  }

  private nextBatch(): Waiting[] {
    const batch: Waiting[] = [];
    let count = 0;
    let bytes = 0;
    while (this.waiting.length > 0 && count < atOnce && bytes < bytesAtOnce) {
      const next = this.waiting.shift()!;
      if (next.signal.aborted) {
        next.settle(next.signal.reason as Error);
        continue;
      }
      batch.push(next);
      count += next.jobs.length;
      for (const { data } of next.jobs) bytes += data.length;
    }
    return batch;
  }

  private async insert(batch: readonly Waiting[]): Promise<Error | undefined> {
    try {
      const queues = await this.jobs.insert(batch.flatMap(({ jobs }) => jobs));
      for (const { name, due } of queues) this.stirred(name, due);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }
}

/** Whether it has to do with the server or the way to it, and not with what was to be written. */
function isPassing(error: Error): boolean {
  const { code } = error as { code?: string };
  return code === undefined || !/^(22|23|54)/.test(code);
}
