import { setTimeout as delay } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import { MigrationLockedError } from './errors.js';

const pollMs = 100;

/**
 * Runs `work` while this session holds the advisory lock, which the server frees by itself should the process die.
 * The lock is asked for again and again rather than waited for: a statement that waits holds a snapshot, and
 * CREATE INDEX CONCURRENTLY of whoever has the lock would wait for that in turn, for ever.
 * @throws MigrationLockedError after `timeoutMs`
 */
export async function withMigrationLock<T>(
  runner: QueryRunner,
  key: string,
  timeoutMs: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  while (!(await tryLock(runner, key))) {
    if (performance.now() >= deadline) throw new MigrationLockedError(timeoutMs, await holderOf(runner, key));
    await delay(pollMs / 2 + Math.random() * pollMs, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    // A session that is gone has no lock any more; the error of the work is the one that counts.
    await runner.query('SELECT pg_advisory_unlock($1::bigint)', [key]).catch(() => undefined);
  }
}

async function tryLock(runner: QueryRunner, key: string): Promise<boolean> {
  const [row] = (await runner.query('SELECT pg_try_advisory_lock($1::bigint) AS locked', [key])) as {
    locked: boolean;
  }[];
  return row!.locked;
}

async function holderOf(runner: QueryRunner, key: string): Promise<string> {
  const [row] = (await runner.query(
    `SELECT format('%s (pid %s, %s, since %s)', application_name, a.pid, coalesce(host(client_addr), 'local'), backend_start) AS holder
       FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint`,
    [key],
  )) as { holder: string }[];
  return row?.holder ?? 'it has just ended';
}
