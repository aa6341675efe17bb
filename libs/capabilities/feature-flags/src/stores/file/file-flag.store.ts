import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckResult, Clock } from '@core-infra/kernel';
import { FlagFileError } from '../../errors.js';
import type { FlagDocument } from '../../flag-document.js';
import type { FlagChange, FlagChanges, FlagHistoryEntry, FlagSnapshot, FlagStore } from '../../flag-store.js';
import { type FlagFormat, json } from '../../formats/flag-format.js';
import { differences, withChanges } from '../differences.js';
import { assertFlagName, FlagConflictError, onlyOf } from '../errors.js';
import { parseHistoryLine } from '../history-line.js';
import { withFileLock } from './file-lock.js';
import { FileWatch } from './file-watch.js';

export interface FileFlagStoreOptions {
  readonly path: string;
  /** How the file is written. @default JSON */
  readonly format?: FlagFormat;
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

/** What was found, and what it says unless that is not valid. */
interface Settled extends Found {
  readonly document: FlagDocument | undefined;
}

/**
 * Flags in a file. The version is the file's time of change in milliseconds, so that it is the same in every process. A file that is
 * just being written is not JSON, and is read again before it is refused. Changes replace the file in one step, under a lock; each has
 * a line in `<path>.history`.
 */
export class FileFlagStore implements FlagStore {
  /** What was read last: a watch tells of everything else. */
  private lastRead: string | undefined;
  private isAbsent = false;
  private readonly format: FlagFormat;
  /** What a file that need not be there is while it is not. */
  private readonly absent: Found;

  constructor(private readonly options: FileFlagStoreOptions) {
    this.format = options.format ?? json;
    this.absent = { text: this.format.empty, version: 0 };
  }

  /** @throws FlagFileError when it cannot be read; InvalidFlagsError with line and column when it is not valid */
  async read(): Promise<FlagSnapshot> {
    const found = await this.settled(await this.find());
    const snapshot = { version: found.version, document: found.document ?? this.options.parse(found.text) };
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
        const document = found.document ?? this.options.parse(found.text);
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
  change({ flag, to, by, ifVersion }: FlagChange): Promise<FlagSnapshot> {
    return this.changeAll({ flags: { [flag]: to }, by, ifVersion });
  }

  async changeAll({ flags, by, ifVersion }: FlagChanges): Promise<FlagSnapshot> {
    for (const [flag, to] of Object.entries(flags)) if (to !== null) assertFlagName(flag);
    await mkdir(dirname(this.options.path), { recursive: true }).catch((error: unknown) => {
      throw new FlagFileError(this.options.path, 'written', error);
    });
    return this.locked(async () => {
      const { text: before, version, document: now } = await this.readOrNone();
      if (ifVersion !== undefined && ifVersion !== version)
        throw new FlagConflictError(onlyOf(flags), ifVersion, version);
      const changes = differences(now.flags, flags);
      if (changes.length === 0) return { version, document: now };
      const changed = Object.fromEntries(changes.map(({ flag, to }) => [flag, to]));
      const text = this.format.rewrite(before, withChanges(now, changes), changed);
      const document = this.options.parse(text);
      const millis = Math.max(Math.floor(this.options.clock.now()), version + 1);
      const at = new Date(this.options.clock.now()).toISOString();
      const entries: FlagHistoryEntry[] = changes.map(change => ({ version: millis, at, by, ...change }));
      await this.recorded(entries, () => this.replace(text, millis));
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
      if (this.options.required === false && (cause as NodeJS.ErrnoException).code === 'ENOENT') return this.absent;
      throw new FlagFileError(this.options.path, 'read', cause);
    }
  }

  /**
   * Whoever is writing the file gets time to end: a text that is refused must be the same `settleMs` later, as must one that may be the
   * beginning of another, and a file that is gone be gone, as it may be deleted to be made anew.
   * @param wasThere whether flags of the file may be in force
   */
  private async settled(found: Found, wasThere: boolean = false): Promise<Settled> {
    for (let last = found; ;) {
      const document = this.documentOf(last);
      const isWhole = document !== undefined && (this.format.tellsItsEnd || last === this.absent);
      if (isWhole && !(last === this.absent && wasThere)) return this.noted({ ...last, document }, last);
      await sleep(this.options.settleMs);
      const next = await this.find();
      if (next.text === last.text) return this.noted({ ...next, document }, next);
      last = next;
    }
  }

  private documentOf({ text }: Found): FlagDocument | undefined {
    try {
      return this.options.parse(text);
    } catch {
      return undefined;
    }
  }

  private noted(settled: Settled, found: Found): Settled {
    this.isAbsent = found === this.absent;
    return settled;
  }

  private async readOrNone(): Promise<Found & FlagSnapshot> {
    const isThere = await stat(this.options.path).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
    );
    if (!isThere) return { text: this.format.empty, version: 0, document: { flags: {} } };
    const found = await this.settled(await this.find());
    return { ...found, document: found.document ?? this.options.parse(found.text) };
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

  /** No change is made that could have no line: the history is opened first. */
  private async recorded(entries: readonly FlagHistoryEntry[], change: () => Promise<void>): Promise<void> {
    const failed = (cause: unknown): never => {
      throw new FlagFileError(this.historyPath, 'written', cause);
    };
    const history = await open(this.historyPath, 'a').catch(failed);
    try {
      await change();
      await history.appendFile(entries.map(entry => `${JSON.stringify(entry)}\n`).join('')).catch(failed);
    } finally {
      await history.close();
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
