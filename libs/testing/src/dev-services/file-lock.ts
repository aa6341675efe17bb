import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './process.js';

const POLL_MS = 20;

/** Runs `work` while no other process runs anything under the same lock file. A holder that was killed does not count. */
export async function withFileLock<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const mine = `${process.pid} ${randomUUID()}`;
  while (!take(file, mine)) await sleep(POLL_MS);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string, mine: string): boolean {
  try {
    writeFileSync(file, mine, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    removeStale(file);
    return false;
  }
}

function removeStale(file: string): void {
  const holder = read(file);
  // Empty: its holder is just about to write its name.
  if (holder === undefined || holder === '' || isAlive(Number.parseInt(holder, 10))) return;
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
    // Between the look and the rename somebody may have replaced the stale lock with a good one: give that back.
    if (read(aside) !== holder) linkSync(aside, file);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  rmSync(aside, { force: true });
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
