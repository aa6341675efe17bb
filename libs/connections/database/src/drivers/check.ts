import type { CheckResult, RequestContext } from '@core-infra/kernel';
import type { CancellableClient } from '../query/cancel.js';
import type { WatchedPool } from '../pool/watched-pool.js';

interface Answer {
  readonly version: string;
  readonly in_recovery: boolean;
}

/**
 * One round trip on a connection of the pool: so it fails when the server is away as when nothing of the pool is free.
 * The connection of a check that is given up is cut, as checks would else use up the pool while a network swallows packets.
 * It ends with its own budget and not with the probe that caused it, since others wait for the same answer.
 */
export function checkPostgres(pool: WatchedPool, context: RequestContext, signal: AbortSignal): Promise<CheckResult> {
  return context.run({ deadline: undefined, signal: undefined }, async () => {
    const client = await pool.connect();
    const cut = () => (client as unknown as CancellableClient).connection.stream.destroy();
    signal.addEventListener('abort', cut, { once: true });
    try {
      signal.throwIfAborted();
      const { rows } = await client.query<Answer>(
        `SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS in_recovery`,
      );
      const [answer] = rows;
      return { version: answer!.version, inRecovery: answer!.in_recovery, pool: pool.stats };
    } finally {
      signal.removeEventListener('abort', cut);
      client.release(signal.aborted);
    }
  });
}
