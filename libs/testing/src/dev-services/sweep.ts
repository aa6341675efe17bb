import { execFile } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { baseFolder, KEPT_PREFIX, projectsOutside } from './folders.js';
import { readGuardState, type GuardState } from './guard.client.js';
import { isRunningWith } from './process.js';

/** A folder that no guard has been in and that is younger than this, in milliseconds, is just being started. */
const FRESH_MS = 60_000;
/** How long a guard that is about to end may take, in milliseconds. */
const GUARD_ENDS_WITHIN_MS = 20_000;
const POLL_MS = 20;

/** Ends and removes what guards that were killed themselves have left, and the data of projects that are gone. */
export async function sweep(): Promise<void> {
  const base = baseFolder();
  for (const entry of readdirSync(base, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith(KEPT_PREFIX)) continue;
    await sweepFolder(join(base, entry.name));
  }
  for (const { folder, project } of projectsOutside()) {
    if (existsSync(project)) continue;
    await cleanFolder(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function sweepFolder(folder: string): Promise<void> {
  const state = readGuardState(folder);
  if (isRunningWith(state?.guardPid, folder)) return;
  if (state?.guardPid === undefined && isFresh(folder)) return;
  if (state) await removeServer(folder, state);
  if (!state?.keepData) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Waits for a guard that is about to end, or does its work when it was killed; the folder's data stay. */
export async function cleanFolder(folder: string): Promise<void> {
  const deadline = Date.now() + GUARD_ENDS_WITHIN_MS;
  while (isRunningWith(readGuardState(folder)?.guardPid, folder) && Date.now() < deadline) await sleep(POLL_MS);
  const state = readGuardState(folder);
  if (state) await removeServer(folder, state);
}

async function removeServer(folder: string, state: GuardState): Promise<void> {
  if (state.serverPid !== undefined) {
    if (isRunningWith(state.serverPid, folder)) process.kill(state.serverPid, state.endSignal);
    const deadline = Date.now() + state.endTimeoutMs;
    while (isRunningWith(state.serverPid, folder)) {
      if (Date.now() > deadline) process.kill(state.serverPid, 'SIGKILL');
      await sleep(POLL_MS);
    }
  }
  // The container is gone already, as a rule; then the command says so and nothing is left to do.
  if (state.cleanUp) await promisify(execFile)(state.cleanUp[0], state.cleanUp.slice(1)).catch(() => undefined);
  rmSync(state.socket, { force: true });
  rmSync(join(folder, 'guard.json'), { force: true });
}

function isFresh(folder: string): boolean {
  try {
    return Date.now() - statSync(folder).mtimeMs < FRESH_MS;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}
