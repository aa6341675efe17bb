import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export interface BackupPolicy {
  /** How many are kept; 0 keeps all. */
  readonly maxBackups: number;
  /** How long they are kept, in milliseconds; 0 is forever. */
  readonly maxAgeMs: number;
  /** Whether they are compressed with gzip. */
  readonly compress: boolean;
}

/** The files that were put aside of one log file: names, compression, removal. Works behind the writes, one pass at a time. */
export class Backups {
  private readonly folder: string;
  private readonly stem: string;
  private readonly extension: string;
  private readonly pattern: RegExp;
  private running: Promise<void> | undefined;
  private again = false;
  private reported = false;

  constructor(
    path: string,
    private readonly policy: BackupPolicy,
    private readonly report: (text: string) => void,
    private readonly now: () => number,
  ) {
    this.folder = dirname(path);
    this.extension = extname(path);
    this.stem = basename(path, this.extension);
    this.pattern = new RegExp(`^${quote(this.stem)}-\\d{8}T\\d{9}${quote(this.extension)}(\\.gz)?(\\.tmp)?$`);
  }

  /** A name that is not taken: `app-20261121T021013123.log`. Names sort by time; where a millisecond is taken, the next one stands in. */
  nextName(): string {
    for (let at = this.now(); ; at += 1) {
      const time = new Date(at).toISOString().replace(/[-:.Z]/g, '');
      const name = join(this.folder, `${this.stem}-${time}${this.extension}`);
      if (!existsSync(name) && !existsSync(`${name}.gz`)) return name;
    }
  }

  /** Compresses and removes what is to be, soon. */
  tidy(): void {
    if (this.running) this.again = true;
    else this.running = this.pass();
  }

  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async pass(): Promise<void> {
    try {
      do {
        this.again = false;
        await this.tidyOnce();
      } while (this.again);
    } catch (error) {
      if (!this.reported) this.report(`Old log files in ${this.folder} cannot be tidied: ${String(error)}`);
      this.reported = true;
    } finally {
      this.running = undefined;
    }
  }

  private async tidyOnce(): Promise<void> {
    const names = (await readdir(this.folder)).filter(name => this.pattern.test(name));
    // What a process that died while compressing has left; its source is still there.
    for (const name of names.filter(found => found.endsWith('.tmp')))
      await rm(join(this.folder, name), { force: true });
    const kept = names.filter(name => !name.endsWith('.tmp')).sort((a, b) => (stampOf(a) < stampOf(b) ? 1 : -1));
    for (const [index, name] of kept.entries()) {
      const path = join(this.folder, name);
      const tooMany = this.policy.maxBackups > 0 && index >= this.policy.maxBackups;
      if (tooMany || (await this.tooOld(path))) await rm(path, { force: true });
      else if (this.policy.compress && !name.endsWith('.gz')) await compress(path);
    }
  }

  private async tooOld(path: string): Promise<boolean> {
    return this.policy.maxAgeMs > 0 && this.now() - (await stat(path)).mtimeMs > this.policy.maxAgeMs;
  }
}

async function compress(path: string): Promise<void> {
  const temporary = `${path}.gz.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary, { mode: 0o640 }));
  await rename(temporary, `${path}.gz`);
  await rm(path);
}

const stampOf = (name: string) => name.replace(/\.gz$/, '');
const quote = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
