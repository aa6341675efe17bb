import type { Jobs, NewJob } from './jobs.js';

/** One for each job, at its place: why it is not in the table, if it is not. */
export type Results = readonly (Error | undefined)[];

interface Entry {
  readonly job: NewJob;
  /** What must not be overtaken: a key within a call. */
  readonly lane?: string;
}

interface Waiting {
  readonly jobs: readonly NewJob[];
  readonly signal: AbortSignal;
  readonly settle: (results: Results) => void;
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

  /** Never rejects. When a job is not written, neither are those of its key behind it. */
  write(jobs: readonly NewJob[], signal: AbortSignal): Promise<Results> {
    if (jobs.length === 0) return Promise.resolve([]);
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
      const results = await this.insert(batch.flatMap(entriesOf));
      let from = 0;
      for (const { jobs, settle } of batch) settle(results.slice(from, (from += jobs.length)));
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
        next.settle(next.jobs.map(() => next.signal.reason as Error));
        continue;
      }
      batch.push(next);
      count += next.jobs.length;
      for (const { data } of next.jobs) bytes += data.length;
    }
    return batch;
  }

  /** All at once; what the database refuses is looked for by halves, so that it fails nothing but itself and what is behind it of its key. */
  private async insert(entries: readonly Entry[], failedLanes = new Map<string, Error>()): Promise<Results> {
    const behind = ({ lane }: Entry): Error | undefined => (lane === undefined ? undefined : failedLanes.get(lane));
    const free = failedLanes.size > 0 ? entries.filter(entry => !behind(entry)) : entries;
    const error = free.length > 0 ? await this.tryInsert(free.map(({ job }) => job)) : undefined;
    if (!error) return entries.map(behind);
    if (isPassing(error) || entries.length === 1) {
      for (const { lane } of free) if (lane !== undefined) failedLanes.set(lane, error);
      return entries.map(entry => behind(entry) ?? error);
    }
    const half = Math.ceil(entries.length / 2);
    const first = await this.insert(entries.slice(0, half), failedLanes);
    return [...first, ...(await this.insert(entries.slice(half), failedLanes))];
  }

  private async tryInsert(jobs: readonly NewJob[]): Promise<Error | undefined> {
    try {
      const queues = await this.jobs.insert(jobs);
      for (const { name, due } of queues) this.stirred(name, due);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }
}

function entriesOf({ jobs }: Waiting, call: number): Entry[] {
  return jobs.map(job => ({ job, ...(job.key !== undefined && { lane: `${call} ${job.key}` }) }));
}

/** Whether it has to do with the server or the way to it, and not with what was to be written. */
function isPassing(error: Error): boolean {
  const { code } = error as { code?: string };
  return code === undefined || !/^(22|23|54)/.test(code);
}
