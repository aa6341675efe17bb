import type { Jobs, NewJob } from './jobs.js';

/** One for each job, at its place: why it is not in the table, if it is not. */
export type Results = readonly (Error | undefined)[];

interface Entry {
  readonly job: NewJob;
  /** Number of the call it is of. */
  readonly call: number;
}

interface Waiting {
  readonly jobs: readonly NewJob[];
  readonly keys: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly settle: (results: Results) => void;
}

/** So many jobs go in one insert at most, and so many at least where they are there: an insert has a price of its own. */
const atOnce = 1_000;
const together = 100;
const bytesAtOnce = 8 * 1024 * 1024;
/** How many calls that have to wait are looked past. */
const farthest = 10_000;

/**
 * Inserts jobs, those of a key in the order in which they are given: a call waits for those before it that have one of its keys, and goes into one insert
 * with them where they wait, too. That keeps the order of calls that do not wait for each other, and spares the database commits.
 */
export class JobWriter {
  private readonly waiting: Waiting[] = [];
  private waitingJobs = 0;
  private running = 0;
  /** The keys of what is under way. */
  private readonly underWay = new Set<string>();
  /** How many of the first that wait have to, until an insert ends; and their keys, which those behind them wait for as well. */
  private barred = 0;
  private readonly barredKeys = new Set<string>();
  private isDue = false;

  constructor(
    private readonly jobs: Pick<Jobs, 'insert'>,
    /** Tells of queues into which something was put. */
    private readonly stirred: (queue: string, due: number | null) => void,
    /** How many inserts may be under way at once. */
    private readonly abreast: number,
  ) {}

  /** Never rejects. When a job is not written, neither are those of its key behind it. */
  write(jobs: readonly NewJob[], signal: AbortSignal): Promise<Results> {
    if (jobs.length === 0) return Promise.resolve([]);
    const keys = new Set<string>();
    for (const { key } of jobs) if (key !== undefined) keys.add(key);
    return new Promise(settle => {
      this.waiting.push({ jobs, keys, signal, settle });
      this.waitingJobs += jobs.length;
      if (this.isDue || this.running >= this.abreast) return;
      this.isDue = true;
      // What is written at the same time goes together.
      queueMicrotask(() => this.fill());
    });
  }

  private fill(): void {
    this.isDue = false;
    while (this.running < this.abreast) {
      const batch = this.nextBatch();
      if (batch.length === 0) return;
      void this.run(batch);
    }
  }

  private async run(batch: readonly Waiting[]): Promise<void> {
    this.running += 1;
    const results = await this.insert(batch.flatMap(({ jobs }, call) => jobs.map(job => ({ job, call }))));
    this.running -= 1;
    for (const { keys } of batch) for (const key of keys) this.underWay.delete(key);
    this.barred = 0;
    this.barredKeys.clear();
    let from = 0;
    for (const { jobs, settle } of batch) settle(results.slice(from, (from += jobs.length)));
    this.fill();
  }

  /** The next that wait for nothing but their turn: as much as is due to one of the inserts that may begin now. */
  private nextBatch(): Waiting[] {
    const most = Math.min(atOnce, Math.max(together, Math.ceil(this.waitingJobs / (this.abreast - this.running))));
    const batch: Waiting[] = [];
    const passed: Waiting[] = [];
    let jobs = 0;
    let bytes = 0;
    let at = this.barred;
    for (; at < this.waiting.length && at < farthest && jobs < most && bytes < bytesAtOnce; at += 1) {
      const next = this.waiting[at]!;
      if (next.signal.aborted) {
        this.waitingJobs -= next.jobs.length;
        next.settle(next.jobs.map(() => next.signal.reason as Error));
      } else if (this.mustWait(next)) {
        for (const key of next.keys) this.barredKeys.add(key);
        passed.push(next);
      } else {
        batch.push(next);
        jobs += next.jobs.length;
        for (const { data } of next.jobs) bytes += data.length;
      }
    }
    this.waiting.splice(this.barred, at - this.barred, ...passed);
    this.waitingJobs -= jobs;
    this.barred += passed.length;
    for (const { keys } of batch) for (const key of keys) this.underWay.add(key);
    return batch;
  }

  private mustWait({ keys }: Waiting): boolean {
    if (this.underWay.size === 0 && this.barredKeys.size === 0) return false;
    for (const key of keys) if (this.underWay.has(key) || this.barredKeys.has(key)) return true;
    return false;
  }

  /** All at once; what the database refuses is looked for by halves, so that it fails nothing but itself and what is behind it of its key. */
  private async insert(entries: readonly Entry[], failedLanes = new Map<string, Error>()): Promise<Results> {
    const behind = (entry: Entry): Error | undefined =>
      failedLanes.size > 0 ? failedLanes.get(laneOf(entry) ?? '') : undefined;
    const free = failedLanes.size > 0 ? entries.filter(entry => !behind(entry)) : entries;
    const error = free.length > 0 ? await this.tryInsert(free.map(({ job }) => job)) : undefined;
    if (!error) return entries.map(behind);
    if (isPassing(error) || entries.length === 1) {
      for (const entry of free) {
        const lane = laneOf(entry);
        if (lane !== undefined) failedLanes.set(lane, error);
      }
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

/** What must not be overtaken: a key within a call. */
function laneOf({ job: { key }, call }: Entry): string | undefined {
  return key === undefined ? undefined : `${call} ${key}`;
}

/** Whether it has to do with the server or the way to it, and not with what was to be written. */
function isPassing(error: Error): boolean {
  const { code } = error as { code?: string };
  return code === undefined || !/^(22|23|54)/.test(code);
}
