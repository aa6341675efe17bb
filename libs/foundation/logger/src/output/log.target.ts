import { fstatSync, writeSync } from 'node:fs';

export const maxChunkBytes = 1_024 ** 2;

/** What a {@link BufferedWriter} writes to. */
export interface LogTarget {
  /** For messages: a path, or `stdout`. */
  readonly name: string;
  /** How much it takes in one write, in bytes. */
  readonly chunkBytes: number;
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

  open(): number {
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

/** Writes all of it now; waits, for a second at most, where the reader of a pipe is slow. */
export function writeAllSync(fd: number, data: Buffer): void {
  const until = performance.now() + 1_000;
  for (let offset = 0; offset < data.length;) {
    try {
      offset += writeSync(fd, data, offset);
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      nap(1);
    }
  }
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
