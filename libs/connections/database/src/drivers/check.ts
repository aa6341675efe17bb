import type { CheckResult } from '@core-infra/kernel';
import type { WatchedPool } from '../pool/watched-pool.js';

interface Answer {
  readonly version: string;
  readonly in_recovery: boolean;
}

/** One round trip on a connection of the pool: so it fails when the server is away as when nothing of the pool is free. */
export async function checkPostgres(pool: WatchedPool): Promise<CheckResult> {
  const { rows } = await pool.query<Answer>(
    `SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS in_recovery`,
  );
  const [answer] = rows;
  return { version: answer!.version, inRecovery: answer!.in_recovery, pool: pool.stats };
}
