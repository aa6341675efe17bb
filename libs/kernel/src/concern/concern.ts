import type { Logger } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { TracingChannel } from 'node:diagnostics_channel';
import type { ConfigClass } from '../config/field-decorators.js';
import type { ConnectionConfig } from '../config/connection-config.js';
import type { Opened } from '../connections/opened.js';
import type { AppInfo } from '../ports/app-info.js';
import type { Classification, Classify } from '../ports/classify.js';
import type { Clock } from '../ports/clock.js';
import type { Policies } from '../ports/policies.js';
import type { RequestContext } from '../ports/request-context.js';
import type { Operation } from '../ports/telemetry.js';
import type { AppState } from '../app-state.js';

/** What a driver is told besides its configuration. */
export interface DriverSite {
  /** `database`, `database:audit`. */
  readonly id: string;
  /** `default`, `audit`. */
  readonly name: string;
  readonly logger: Logger;
  readonly app: AppInfo;
  readonly context: RequestContext;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly state: AppState;
  /** The app's module graph, to find what features of the app declared for this connection. */
  readonly modules: ModulesContainer;
  /** The channel `infra:<concern>`, for one message per call to the server. */
  readonly operations: TracingChannel<unknown, Operation>;
  /** What a failed call means, whichever connection of the app it came from. */
  readonly classify: (error: unknown) => Classification;
  /** Calls back after a reload that changed live fields of this connection's configuration, with their paths. */
  readonly onConfigChange: (listener: (changed: readonly string[]) => void) => void;
  /**
   * The connection this one stands on.
   * @throws MissingUpstreamError when nobody registers it
   */
  upstream<Client>(): Client;
}

/** Opens a client: construct it here, reach the server in `connect` of what is returned. */
export type Driver<Config, Client> = (config: Config, at: DriverSite) => Opened<Client> | Promise<Opened<Client>>;

/** Another class to inject the default connection by, e.g. ioredis's own `Redis` besides our `RedisClient`. */
export interface AlsoKnownAs<Client> {
  readonly token: abstract new (...args: never[]) => unknown;
  readonly from: (client: Client) => unknown;
}

/** A concern: a configuration class, a port to inject, and drivers. */
export interface Concern<Config extends ConnectionConfig, Client> {
  /** Lower case; names tokens, channels and, unless said otherwise, the section and the check. */
  readonly name: string;
  /** The class to inject the default connection by. */
  readonly port: abstract new (...args: never[]) => Client;
  readonly also?: readonly AlsoKnownAs<Client>[];
  readonly config: ConfigClass<Config>;
  /** Section of the configuration. @default the concern's name */
  readonly section?: string;
  /** Name of the check of the default connection. @default the concern's name */
  readonly healthName?: string;
  /** What a driver stands on, by its concern's name: `{ redis: 'redis' }`. */
  readonly upstreams?: { readonly [D in Config['driver']]?: string };
  /** Closed after everything else. @default false */
  readonly closeLast?: boolean;
  readonly classify?: Classify;
  readonly drivers: { readonly [D in Config['driver']]: Driver<Config, Client> };
}
