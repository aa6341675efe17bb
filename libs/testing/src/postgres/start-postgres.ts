import { postgres, postgresService } from '../dev-services/services/postgres.service.js';
import { startServer, withoutSecrets } from '../dev-services/service.start.js';
import { ownServer, type Resolution } from '../dev-services/service.definition.js';
import { createDatabase } from './postgres.admin.js';
import { type Started, useStarted } from '../helpers/use-started.js';
import { uniqueName } from '../helpers/unique-name.js';

export interface PostgresServerOptions {
  /** Whether what was committed is there after `kill('SIGKILL')`; commits are slower then. @default false */
  keepsCommits?: boolean;
}

/** A PostgreSQL of one's own, to be stopped and killed at will. */
export interface PostgresServer extends AsyncDisposable {
  readonly resolution: Resolution;
  /** Stays the same over stops and starts. */
  readonly url: string;
  /** Host, port and database: fit for a table or a log. */
  readonly address: string;
  /** A further empty database. */
  createDatabase(): Promise<string>;
  /** Ends the sessions and stops the server; its data stay. */
  stop(): Promise<void>;
  /** Starts it again on the same port; resolves when it serves. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** @param signal `SIGKILL` is a crash; `SIGSTOP` hangs the postmaster (no new session), until `SIGCONT`. @default 'SIGKILL' */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the server and removes its data; resolves when nothing is left. */
  dispose(): Promise<void>;
}

/** Starts a PostgreSQL that nobody shares; an address in the environment is not used, since it could not be stopped. */
export async function startPostgres(options?: PostgresServerOptions): Promise<PostgresServer> {
  const { host, resolution } = await startServer(ownServer(postgresService(options)), { kind: 'private' });
  const stop = (): Promise<void> => host.stop();
  const start = (): Promise<void> => host.start();
  const dispose = (): Promise<void> => host.end();
  return {
    resolution,
    url: host.url,
    address: withoutSecrets(host.url),
    createDatabase: () => createDatabase(host.url, uniqueName('spec')),
    stop,
    start,
    restart: async () => {
      await stop();
      await start();
    },
    kill: (signal = 'SIGKILL') => host.kill(signal),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** {@link startPostgres} for the specs of a file or of a `describe`: started before them, gone after them. */
export function usePostgresServer(options?: PostgresServerOptions): Started<PostgresServer> {
  return useStarted(() => startPostgres(options), [ownServer(postgres)]);
}
