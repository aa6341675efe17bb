import type { ConfigRequest } from './resolve-config.js';

/** Where configuration comes from besides code. The config module provides it: files, environment, flags. */
export abstract class ConfigSource {
  /**
   * The section, validated, as a read-only instance of its class. Fields marked `@Live()` follow the sources; the others keep the values of the boot.
   * @throws ConfigError with every problem, each with its source
   */
  abstract resolve<C extends object>(request: ConfigRequest<C>): C;

  /**
   * Calls `listener` after each reload that changed live fields of the section, with the paths that changed.
   * @returns stops listening
   */
  abstract onChange(section: string, listener: (changed: readonly string[]) => void): () => void;
}
