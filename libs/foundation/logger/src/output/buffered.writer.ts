import { write } from 'node:fs';
import { fileSize, isBusy, type LogTarget, nap, writeNow } from './log.target.js';

/** Lines are handed to the system in pieces of about this size when there are many. */
const highWater = 64 * 1_024;
/**
 * Collected text is encoded at about this length. It is put together of many small pieces, and as long as it is text the garbage
 * collector follows, and copies, each of them.
 */
const encodeAt = 16 * 1_024;
const newline = 10;
const firstRetryMs = 500;
const lastRetryMs = 30_000;
/** How long the end of a process waits for a write that is under way. */
const landingMs = 500;
/** How long the reader of a pipe may take nothing before the pipe counts as failed. */
const patienceMs = 1_000;

const remedy = "Free space, or correct logging.filePath or the folder's permissions.";
const remedies: Readonly<Record<string, string>> = {
  EAGAIN: 'Whoever reads it has stopped reading.',
  EPIPE: 'Whoever read it is gone.',
};

export interface WriterOptions {
  readonly flushIntervalMs: number;
  readonly maxBufferBytes: number;
  /** Told once when the target begins to fail, and once when it works again. */
  report(text: string): void;
}

interface InFlight {
  readonly data: Buffer;
  /** How much of it is written. */
  offset: number;
  /** Size of the file when the write began, if it is one. */
  readonly before: number | undefined;
  /** Whether `flushSync` has seen to it, so that its result no longer matters. */
  settled: boolean;
}

/**
 * Collects lines and writes them behind the caller's back: at the latest after `flushIntervalMs`.
 * A target that fails is reported once and tried again, with pauses; meanwhile lines are held back, up to `maxBufferBytes`, then dropped and counted.
 */
export class BufferedWriter {
  private pending = '';
  /** Whole lines before those that are pending, encoded. */
  private readonly blocks: Buffer[] = [];
  private blockBytes = 0;
  /** What a failed write left over. */
  private rest: Buffer | undefined;
  private inFlight: InFlight | undefined;
  private timer: NodeJS.Timeout | undefined;
  private retryMs = 0;
  private dropped = 0;
  private closed = false;
  private readonly waiting: (() => void)[] = [];

  constructor(
    readonly target: LogTarget,
    private readonly options: WriterOptions,
  ) {}

  write(line: string): void {
    if (this.held() > this.options.maxBufferBytes) {
      this.dropped += 1;
      return;
    }
    this.pending += line;
    if (this.pending.length >= encodeAt) this.encode();
    if (this.closed) this.flushSync();
    else if (this.inFlight || this.retryMs > 0) return;
    else if (this.queued() >= highWater) this.begin();
    else this.timer ??= setTimeout(this.begin, this.options.flushIntervalMs).unref();
  }

  /** Opens the target now, so that a wrong path is reported at the start and not with the first line. */
  open(): void {
    try {
      this.target.open();
    } catch (error) {
      this.failed(error);
    }
  }

  /** Resolves when all that was written so far is with the system, or the target fails. */
  async flush(): Promise<void> {
    if (this.retryMs > 0) return;
    while (this.held() > 0 || this.inFlight) {
      this.begin();
      if (!this.inFlight) return;
      await new Promise<void>(resolve => this.waiting.push(resolve));
      if (this.retryMs > 0) return;
    }
  }

  /** The same at once, also from an `exit` listener. */
  flushSync(): void {
    this.land();
    for (let data = this.take(); data; data = this.take()) {
      if (!this.writeSync(data)) return;
    }
    if (this.closed) this.target.close();
  }

  private writeSync(data: Buffer): boolean {
    let left = data;
    try {
      this.target.beforeWrite(data.length);
      // A target that is known to fail is asked once more, and not waited for.
      const { bytes, error } = writeNow(this.target.open(), data, this.retryMs > 0 ? 0 : patienceMs);
      left = data.subarray(bytes);
      if (error !== undefined) throw error;
      this.succeeded(data.length);
      return true;
    } catch (error) {
      this.rest = left;
      this.failed(error);
      return false;
    }
  }

  /** From now on each line is written at once, and the descriptor is closed in between. */
  async close(): Promise<void> {
    await this.flush();
    this.flushSync();
    this.closed = true;
    clearTimeout(this.timer);
    this.target.close();
    await this.target.idle();
  }

  private held(): number {
    return this.queued() + (this.rest?.length ?? 0);
  }

  private queued(): number {
    return this.pending.length + this.blockBytes;
  }

  private encode(): void {
    if (this.pending.length === 0) return;
    const block = Buffer.from(this.pending);
    this.pending = '';
    this.blocks.push(block);
    this.blockBytes += block.length;
  }

  /** The next piece: what a failed write left over, else whole lines, as many as the target takes at once. */
  private take(): Buffer | undefined {
    if (this.rest) {
      const data = this.rest;
      this.rest = undefined;
      return data;
    }
    this.encode();
    const { chunkBytes } = this.target;
    let count = 0;
    let bytes = 0;
    while (count < this.blocks.length && bytes < chunkBytes) {
      bytes += this.blocks[count]!.length;
      count += 1;
    }
    if (count === 0) return undefined;
    const taken = this.blocks.splice(0, count);
    const data = count === 1 ? taken[0]! : Buffer.concat(taken, bytes);
    this.blockBytes -= bytes;
    if (bytes <= chunkBytes) return data;
    const end = data.lastIndexOf(newline, chunkBytes - 1) + 1 || data.indexOf(newline) + 1 || bytes;
    if (end < bytes) {
      this.blocks.unshift(data.subarray(end));
      this.blockBytes += bytes - end;
    }
    return data.subarray(0, end);
  }

  /** Starts the next write, unless one is under way. */
  private readonly begin = (): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.inFlight) return;
    const data = this.take();
    if (!data) return;
    try {
      this.target.beforeWrite(data.length);
      const fd = this.target.open();
      this.inFlight = { data, offset: 0, before: fileSize(fd), settled: false };
      this.writeOn(fd, this.inFlight);
    } catch (error) {
      this.rest = data;
      this.failed(error);
    }
  };

  /** `busyUntil` is when a reader that takes nothing is given up; it is set anew with whatever is taken. */
  private writeOn(fd: number, job: InFlight, busyUntil = performance.now() + patienceMs): void {
    const left = job.data.subarray(job.offset);
    const done = (error: unknown, bytes: number) => {
      if (job.settled) return;
      if (!error) job.offset += bytes;
      if (error && isBusy(error) && performance.now() < busyUntil)
        setTimeout(() => !job.settled && this.writeOn(fd, job, busyUntil), 10).unref();
      else if (!error && job.offset < job.data.length) this.writeOn(fd, job);
      else this.ended(job, error);
    };
    if (!this.target.atOnce) return write(fd, left, done);
    const { bytes, error } = writeNow(fd, left, 0);
    if (bytes > 0) done(undefined, bytes);
    else done(error, 0);
  }

  private ended(job: InFlight, error: unknown): void {
    this.inFlight = undefined;
    if (error) {
      this.rest = job.data.subarray(job.offset);
      this.failed(error);
    } else {
      this.succeeded(job.data.length);
      if (this.queued() >= highWater) this.begin();
      else if (this.queued() > 0) this.timer ??= setTimeout(this.begin, this.options.flushIntervalMs).unref();
    }
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /**
   * Waits for the write that is under way in another thread. In a file its end can be seen by the size; one which does not come is
   * written once more, as a line that is there twice is better than one that is missing. Elsewhere it is left a moment.
   */
  private land(): void {
    const job = this.inFlight;
    if (!job) return;
    if (this.target.atOnce) this.rest = job.data.subarray(job.offset);
    else if (job.before === undefined) nap(20);
    else if (this.landed(job.before + job.data.length)) this.target.written(job.data.length);
    else this.rest = job.data;
    job.settled = true;
    this.inFlight = undefined;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private landed(size: number): boolean {
    const until = performance.now() + landingMs;
    const fd = this.target.open();
    for (;;) {
      if ((fileSize(fd) ?? size) >= size) return true;
      if (performance.now() > until) return false;
      nap(1);
    }
  }

  private succeeded(bytes: number): void {
    this.target.written(bytes);
    if (this.retryMs === 0 && this.dropped === 0) return;
    const { dropped } = this;
    this.retryMs = 0;
    this.dropped = 0;
    this.options.report(
      `Log destination ${this.target.name} works again${dropped > 0 ? `; ${dropped} lines were dropped meanwhile` : ''}.`,
    );
  }

  private failed(error: unknown): void {
    if (this.retryMs === 0) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      this.options.report(
        `Log destination ${this.target.name} cannot be written: ${code} ${message}. Lines are held back in memory (up to ` +
          `${this.options.maxBufferBytes} bytes) until it works again. ${remedies[code] ?? remedy}`,
      );
    }
    this.retryMs = this.retryMs === 0 ? firstRetryMs : Math.min(this.retryMs * 2, lastRetryMs);
    if (this.closed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.begin, this.retryMs).unref();
  }
}
