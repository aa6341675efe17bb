import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { reasonOf } from '@core-infra/kernel';
import { Backups, type BackupPolicy } from './backups.js';
import { type LogTarget, maxChunkBytes } from './log.target.js';

const retryRotationMs = 60_000;

export interface RotationPolicy extends BackupPolicy {
  /** 0 never rotates by size. */
  readonly maxSizeBytes: number;
  /** 0 never rotates by age, in milliseconds. */
  readonly rotateEveryMs: number;
}

/** A file that is put aside as `<name>-<time><ext>` when it is full or old, between two writes. */
export class RotatingFile implements LogTarget {
  readonly name: string;
  readonly chunkBytes: number;
  readonly atOnce = false;
  private readonly backups: Backups;
  private fd = -1;
  private size = 0;
  private since = 0;
  /** After a rotation that failed, when the next one is tried; 0 if none failed. */
  private stuckUntil = 0;
  /** Devices and pipes are written to and never renamed. */
  private regular = true;

  constructor(
    path: string,
    private readonly policy: RotationPolicy,
    private readonly report: (text: string) => void,
    private readonly now: () => number = Date.now,
  ) {
    this.name = resolve(path);
    this.chunkBytes = policy.maxSizeBytes > 0 ? Math.min(policy.maxSizeBytes, maxChunkBytes) : maxChunkBytes;
    this.backups = new Backups(this.name, policy, report, now);
  }

  open(): number {
    if (this.fd >= 0) return this.fd;
    if (!existsSync(this.name)) mkdirSync(dirname(this.name), { recursive: true });
    this.fd = openSync(this.name, 'a', 0o640);
    const stat = fstatSync(this.fd);
    this.regular = stat.isFile();
    this.size = stat.size;
    this.since = stat.size === 0 ? this.now() : Math.min(stat.birthtimeMs || stat.mtimeMs, this.now());
    if (this.regular) this.backups.tidy();
    return this.fd;
  }

  beforeWrite(bytes: number): void {
    const { maxSizeBytes, rotateEveryMs } = this.policy;
    if (!this.regular || (this.fd >= 0 && this.size === 0)) return;
    if (this.fd < 0) this.open();
    const full = maxSizeBytes > 0 && this.size + bytes > maxSizeBytes;
    const old = rotateEveryMs > 0 && this.now() - this.since >= rotateEveryMs;
    if (this.regular && this.size > 0 && (full || old) && this.now() >= this.stuckUntil) this.rotate();
  }

  written(bytes: number): void {
    this.size += bytes;
  }

  close(): void {
    if (this.fd < 0) return;
    const { fd } = this;
    this.fd = -1;
    closeSync(fd);
  }

  idle(): Promise<void> {
    return this.backups.idle();
  }

  private rotate(): void {
    this.close();
    try {
      // Somebody (logrotate, a person) may have moved the file away: then a new one is all there is to do.
      if (existsSync(this.name)) renameSync(this.name, this.backups.nextName());
    } catch (error) {
      // The folder may belong to another user though the file does not. A file that is too long is better than none.
      if (this.stuckUntil === 0)
        this.report(
          `Log file ${this.name} cannot be rotated and grows on: ${reasonOf(error)}. Let the process write to its folder.`,
        );
      this.stuckUntil = this.now() + retryRotationMs;
    }
    this.open();
  }
}
