import { open, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A writer that died leaves its lock behind: it counts for nothing after so long, in milliseconds. */
const STALE_MS = 10_000;

/**
 * Runs `work` while no other process does so with the same lock file.
 * @throws the error of the system when the lock cannot be had within 5 s
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    try {
      await (await open(path, 'wx')).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || performance.now() > deadline) throw error;
      const taken = await stat(path).catch(() => undefined); // given back in between
      if (taken && Date.now() - taken.mtimeMs > STALE_MS) await rm(path, { force: true });
      else await sleep(10);
    }
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}
