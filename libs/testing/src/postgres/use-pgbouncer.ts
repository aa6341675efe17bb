import { startServer } from '../dev-services/service.start.js';
import { pgbouncer } from '../dev-services/services/pgbouncer.service.js';
import { type Started, useStarted } from '../helpers/use-started.js';

export interface PgBouncer extends AsyncDisposable {
  /** The target's address, by way of PgBouncer; any database of that server can stand in it. */
  readonly url: string;
}

/** A real PgBouncer in transaction mode, for the specs of a file or of a `describe`, in front of the PostgreSQL at `target`. */
export function usePgbouncer(target: () => string): Started<PgBouncer> {
  const definition = pgbouncer(target);
  return useStarted(async () => {
    const { host } = await startServer(definition, { kind: 'private' });
    return { url: host.url, [Symbol.asyncDispose]: () => host.end() };
  }, [definition]);
}
