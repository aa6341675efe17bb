import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, open, readFile, realpath, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { CheckResult, Clock } from '@core-infra/kernel';
import { FlagFileError } from '../../errors.js';
import type { FlagDocument } from '../../flag-document.js';
import type { FlagChange, FlagHistoryEntry, FlagSnapshot, FlagStore } from '../../flag-store.js';
import { assertFlagName, FlagConflictError } from '../errors.js';
import { parseHistoryLine } from '../history-line.js';
import { withFileLock } from './file-lock.js';
import { FileWatch } from './file-watch.js';

export interface FileFlagStoreOptions {
  readonly path: string;
  /** @throws InvalidFlagsError */
  readonly parse: (text: string) => FlagDocument;
  readonly clock: Clock;
  /** How often the file is looked at, in milliseconds. */
  readonly pollMs: number;
  /** How long a text that is refused must stay as it is before it is told, in milliseconds. */
  readonly settleMs: number;
  /** Whether a file that is not there is an error; if not, it counts as one without flags. @default true */
  readonly required?: boolean;
}

/** What was last found, to know it again. */
interface Found {
  readonly text: string;
  readonly version: number;
}

/** What a file that need not be there is while it is not. */
const absent: Found = { text: '{ "flags": {} }', version: 0 };

/**
 * Flags in a file of JSON. The version is the file's time of change in milliseconds, so that it is the same in every process. A file that is
 * just being written is not JSON, and is read again before it is refused. Changes replace the file in one step, under a lock; each has
 * a line in `<path>.history`.
 */
export class FileFlagStore implements FlagStore {
  /** What was read last: a watch tells of everything else. */
  private lastRead: string | undefined;
  private isAbsent = false;

  constructor(private readonly options: FileFlagStoreOptions) {}

  /** @throws FlagFileError when it cannot be read; InvalidFlagsError with line and column when it is not valid */
  async read(): Promise<FlagSnapshot> {
    const found = await this.settled(await this.find());
    const snapshot = { version: found.version, document: this.options.parse(found.text) };
    this.lastRead = identityOf(found);
    return snapshot;
  }

  check(): CheckResult {
    return this.isAbsent ? { file: 'is not there yet' } : {};
  }

  watch(onSnapshot: (snapshot: FlagSnapshot) => void, onError: (error: unknown) => void): Promise<() => Promise<void>> {
    let last = this.lastRead;
    const look = async () => {
      // What is there before anything was read is for `read`, good or bad.
      const isFirst = last === undefined;
      try {
        const first = await this.find();
        if (identityOf(first) === last) return;
        const found = await this.settled(first, !isFirst);
        if (identityOf(found) === last) return;
        last = identityOf(found);
        const document = this.options.parse(found.text);
        if (!isFirst) onSnapshot({ version: found.version, document });
      } catch (error) {
        // A file that is gone is told of once; a text that is refused has been noted above.
        const isKnown = error instanceof FlagFileError && last === error.message;
        if (error instanceof FlagFileError) last = error.message;
        if (!isFirst && !isKnown) onError(error);
      }
    };
    const watching = new FileWatch(this.options.path, this.options.pollMs, look);
    return Promise.resolve(() => watching.end());
  }

  /**
   * @throws FlagConflictError when `ifVersion` is no longer the newest; InvalidFlagsError when the flags would not be valid with it, or are not
   * valid as they are; FlagFileError when the file cannot be written
   */
  async change({ flag, to, by, ifVersion }: FlagChange): Promise<FlagSnapshot> {
    if (to !== null) assertFlagName(flag);
    await mkdir(dirname(this.options.path), { recursive: true }).catch((error: unknown) => {
      throw new FlagFileError(this.options.path, 'written', error);
    });
    return this.locked(async () => {
      const now = await this.readOrNone();
      if (ifVersion !== undefined && ifVersion !== now.version)
        throw new FlagConflictError(flag, ifVersion, now.version);
      const { [flag]: from = null, ...others } = now.document.flags;
      const definition = to === null ? null : (JSON.parse(JSON.stringify(to)) as typeof to);
      if (isDeepStrictEqual(from, definition)) return now;
      const flags = definition === null ? others : { ...now.document.flags, [flag]: definition };
      const text = `${JSON.stringify({ ...now.document, flags }, null, 2)}\n`;
      const document = this.options.parse(text);
      const millis = Math.max(Math.floor(this.options.clock.now()), now.version + 1);
      const at = new Date(this.options.clock.now()).toISOString();
      const entry: FlagHistoryEntry = { version: millis, at, by, flag, from, to: definition };
      await this.replace(text, millis);
      await appendFile(this.historyPath, `${JSON.stringify(entry)}\n`);
      return { version: millis, document };
    });
  }

  async history({ flag, limit = 50 }: { flag?: string; limit?: number } = {}): Promise<readonly FlagHistoryEntry[]> {
    const text = await readFile(this.historyPath, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw new FlagFileError(this.historyPath, 'read', error);
    });
    const entries = text.split('\n').flatMap(line => parseHistoryLine(line) ?? []);
    return entries
      .reverse()
      .filter(entry => flag === undefined || entry.flag === flag)
      .slice(0, limit);
  }

  private get historyPath(): string {
    return `${this.options.path}.history`;
  }

  private async find(): Promise<Found> {
    try {
      const file = await open(this.options.path);
      try {
        const { mtimeMs } = await file.stat();
        return { text: await file.readFile('utf8'), version: Math.floor(mtimeMs) };
      } finally {
        await file.close();
      }
    } catch (cause) {
      if (this.options.required === false && (cause as NodeJS.ErrnoException).code === 'ENOENT') return absent;
      throw new FlagFileError(this.options.path, 'read', cause);
    }
  }

  /**
   * Whoever is writing the file gets time to end: a text that is refused must be the same `settleMs` later, and so must a file that is gone be
   * gone, as it may be deleted to be made anew.
   * @param wasThere whether flags of the file may be in force
   */
  private async settled(found: Found, wasThere: boolean = false): Promise<Found> {
    for (let last = found; ;) {
      if (this.isGood(last) && !(last === absent && wasThere)) return this.noted(last);
      await sleep(this.options.settleMs);
      const next = await this.find();
      if (next.text === last.text) return this.noted(next);
      last = next;
    }
  }

  private isGood({ text }: Found): boolean {
    try {
      this.options.parse(text);
      return true;
    } catch {
      return false;
    }
  }

  private noted(found: Found): Found {
    this.isAbsent = found === absent;
    return found;
  }

  private async readOrNone(): Promise<FlagSnapshot> {
    const isThere = await stat(this.options.path).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
    );
    return isThere ? this.read() : { version: 0, document: { flags: {} } };
  }

  private async locked<T>(work: () => Promise<T>): Promise<T> {
    const lock = `${this.options.path}.lock`;
    let isHeld = false;
    try {
      return await withFileLock(lock, () => {
        isHeld = true;
        return work();
      });
    } catch (error) {
      throw isHeld ? error : new FlagFileError(this.options.path, 'locked', error);
    }
  }

  /** A link to the file stays a link; the new one has the permissions of the old one. */
  private async replace(text: string, millis: number): Promise<void> {
    const path = await realpath(this.options.path).catch(() => this.options.path);
    const fresh = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      const mode = await stat(path).then(
        found => found.mode & 0o777,
        () => 0o644,
      );
      const file = await open(fresh, 'wx', mode);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await utimes(fresh, millis / 1_000, millis / 1_000);
      await rename(fresh, path);
    } catch (cause) {
      await rm(fresh, { force: true });
      throw new FlagFileError(this.options.path, 'written', cause);
    }
  }
}

function identityOf({ version, text }: Found): string {
  return `${version} ${text}`;
}
