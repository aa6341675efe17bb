import type { ConnectionConfig } from '../config/connection-config.js';
import type { Classify } from '../ports/classify.js';
import type { Opened } from './opened.js';

export type EntryState = 'connecting' | 'open' | 'failed';

/** What is asked of {@link Connections.open}. */
export interface OpenRequest<Client> {
  /** `database`, or `database:audit` for a named one. */
  readonly id: string;
  /** The section of the configuration it was read from. */
  readonly section: string;
  /** Name of its check in `/health`. */
  readonly healthName: string;
  readonly config: ConnectionConfig;
  /** Anything else that must be equal for a second registration to be the same connection, e.g. what it stands on. */
  readonly sameAs?: unknown;
  /** Connections it stands on; a driver that asks for an upstream adds to it while it opens. */
  readonly dependsOn?: ReadonlySet<string>;
  /** Closed after everything else: logger, telemetry. */
  readonly closeLast?: boolean;
  readonly classify?: Classify;
  /** Modules that import this registration, for the message of a duplicate. */
  readonly importers?: () => readonly string[];
  readonly open: () => Opened<Client> | Promise<Opened<Client>>;
}

/** A connection that was opened. */
export interface Entry {
  readonly id: string;
  readonly section: string;
  readonly healthName: string;
  readonly config: ConnectionConfig;
  readonly dependsOn: ReadonlySet<string>;
  readonly closeLast: boolean;
  readonly classify?: Classify;
  readonly opened: Opened<unknown>;
  /** The application it belongs to, for who hears of it on a channel. */
  readonly app: object;
  state: EntryState;
  /** Why the last attempt to connect in the background failed. */
  lastError?: unknown;
}
