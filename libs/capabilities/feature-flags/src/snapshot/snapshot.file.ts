import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reasonOf } from '@core-infra/kernel';
import type { FlagSnapshot } from '../flag-store.js';

/** Flags as a snapshot file holds them, with what tells this state of the store from all others. */
export interface KeptFlags extends FlagSnapshot {
  readonly revision: string;
  /** The document as it was stored, to the byte. */
  readonly text: string;
}

interface SnapshotFormat {
  readonly format: 1;
  readonly version: number;
  readonly revision: string;
  readonly text: string;
  readonly sha256: string;
}

type Report = (problem: string) => void;

/**
 * The last good flags of a process, in a file, so that it can start while their store is away. The file is replaced in one step, so it is
 * whole or the one before; only its owner may read it, and one that somebody else could have written is not read.
 */
export class SnapshotFile {
  private writing: Promise<void> | undefined;
  private next: KeptFlags | undefined;
  private failing = false;

  /** @param report is called with one line for a file that is ignored, and for the first write in a row that fails */
  constructor(
    readonly path: string,
    private readonly report: Report,
  ) {}

  /** @returns nothing when there is no file, or none that can be trusted */
  async read(parse: (text: string) => FlagSnapshot['document']): Promise<KeptFlags | undefined> {
    try {
      const text = await this.readOwn();
      return text === undefined ? undefined : unpack(text, parse);
    } catch (error) {
      this.report(`The snapshot ${this.path} is ignored: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /** Writes in the background; of several while one is under way, the last. */
  save(flags: KeptFlags): void {
    this.next = flags;
    this.writing ??= this.writeAll().finally(() => (this.writing = undefined));
  }

  /** Resolves when what was saved is on the disk, or could not be put there. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private async writeAll(): Promise<void> {
    for (let flags = this.next; flags; flags = this.next) {
      this.next = undefined;
      try {
        await this.replace(pack(flags));
        this.failing = false;
      } catch (error) {
        if (!this.failing) this.report(`The snapshot ${this.path} cannot be written: ${reasonOf(error)}`);
        this.failing = true;
      }
    }
  }

  private async replace(text: string): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const fresh = `${this.path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      const file = await open(fresh, 'wx', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, this.path);
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
  }

  private async readOwn(): Promise<string | undefined> {
    const file = await open(this.path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(absent);
    if (!file) return undefined;
    try {
      const { uid, mode } = await file.stat();
      if (process.getuid && uid !== process.getuid()) throw new Error('it belongs to another user');
      if (process.getuid && (mode & 0o022) !== 0) throw new Error('others may write it');
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error.code === 'ELOOP' ? new Error('it is a symbolic link') : error;
}

function pack({ version, revision, text }: KeptFlags): string {
  const kept: SnapshotFormat = { format: 1, version, revision, text, sha256: digest(version, revision, text) };
  return `${JSON.stringify(kept)}\n`;
}

function unpack(file: string, parse: (text: string) => FlagSnapshot['document']): KeptFlags {
  let kept: Partial<SnapshotFormat> | null;
  try {
    kept = JSON.parse(file) as Partial<SnapshotFormat> | null;
  } catch {
    throw new Error('it is not whole'); // what JSON.parse says quotes the content
  }
  const { format, version, revision, text, sha256 } = kept ?? {};
  if (format !== 1) throw new Error('it is of another format');
  if (typeof version !== 'number' || typeof revision !== 'string' || typeof text !== 'string')
    throw new Error('it is not whole');
  if (sha256 !== digest(version, revision, text)) throw new Error('its checksum is wrong');
  return { version, revision, text, document: parse(text) };
}

function digest(version: number, revision: string, text: string): string {
  return createHash('sha256').update(`${version}\n${revision}\n${text}`).digest('hex');
}
