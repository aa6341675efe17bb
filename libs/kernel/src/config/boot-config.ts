import type { ConfigRequest } from './resolve-config.js';

/**
 * Configuration for what the configuration itself stands on: a {@link SecretStore} reads its own section here, because
 * `ConfigSource` waits for the store. Files, environment and flags as there; `secret://` references are errors. Values do not follow reloads.
 */
export abstract class BootConfig {
  /** @throws ConfigError with every problem of the section */
  abstract resolve<C extends object>(request: ConfigRequest<C>): C;
}
