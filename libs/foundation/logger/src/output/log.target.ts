import { fstatSync, writeSync } from 'node:fs';

export const maxChunkBytes = 1_024 ** 2;

/** What a {@link BufferedWriter} writes to. */
export interface LogTarget {
  /** For messages: a path, or `stdout`. */
  readonly name: string;
  /** How much it takes in one write, in bytes. */
  readonly chunkBytes: number;
  /** Whether a write never waits: it takes what it can at once, or says that it is busy. Others are written in another thread. */
  readonly atOnce: boolean;
  /**
   * A descriptor to append to, opened if need be.
   * @throws when it cannot be opened, now
   */
  open(): number;
  /** Told of each completed write; may rotate, after which `open` gives another descriptor. */
  written(bytes: number): void;
  /** Told before a write of so many bytes. */
  beforeWrite(bytes: number): void;
  /** Closes the descriptor. `open` opens it again. */
  close(): void;
  /** Resolves when what the target does beside (compressing, removing old files) has ended. */
  idle(): Promise<void>;
}

/** The process's own output. It is never closed. The command line sends it to stderr, where it does not mix with a command's result. */
export class StdoutTarget implements LogTarget {
  private readonly fd = process.env.CORE_INFRA_CLI ? 2 : 1;
  readonly name = this.fd === 1 ? 'stdout' : 'stderr';
  readonly chunkBytes = maxChunkBytes;
  readonly atOnce = isPipe(this.fd);

  /**
   * Node makes a pipe or a socket non-blocking as soon as it is asked for the stream. Otherwise a reader that stops reading would hold
   * a thread of the pool for as long as it likes, and at the end of the process the main one.
   */
  open(): number {
    void (this.fd === 1 ? process.stdout : process.stderr);
    return this.fd;
  }
  beforeWrite(): void {}
  written(): void {}
  close(): void {}
  idle(): Promise<void> {
    return Promise.resolve();
  }
}

const napCell = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread: for the last words of a process. */
export function nap(ms: number): void {
  Atomics.wait(napCell, 0, 0, ms);
}

/**
 * Writes as much as it can, now; where the reader of a pipe is slow, it waits for at most `patienceMs` milliseconds.
 * @returns how many bytes were written, and what stopped it before the end
 */
export function writeNow(fd: number, data: Buffer, patienceMs: number): { bytes: number; error?: Error } {
  const until = performance.now() + patienceMs;
  let bytes = 0;
  while (bytes < data.length) {
    try {
      bytes += writeSync(fd, data, bytes);
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) return { bytes, error: error as Error };
      nap(1);
    }
  }
  return { bytes };
}

export function isBusy(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'EAGAIN' || code === 'EBUSY' || code === 'EINTR';
}

/** The size of a regular file; undefined for pipes, terminals and devices. */
export function fileSize(fd: number): number | undefined {
  const stat = fstatSync(fd);
  return stat.isFile() ? stat.size : undefined;
}

function isPipe(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
}
