import type { ConfigModuleOptions } from '../config.options.js';
import { loadSources, type Sources } from './load-sources.js';

/** The sources of the boot, read when they are first asked for; asked again, it gives the same, or fails for the same reason. */
export class SourcesOnce {
  private loaded: Sources | undefined;
  private failure: { readonly reason: unknown } | undefined;

  constructor(private readonly options: ConfigModuleOptions) {}

  /** @throws ConfigError when a file cannot be read */
  load(): Sources {
    if (this.failure) throw this.failure.reason;
    try {
      return (this.loaded ??= this.read());
    } catch (reason) {
      this.failure = { reason };
      throw reason;
    }
  }

  private read(): Sources {
    const loaded = loadSources(this.options);
    if (this.options.exportEnv) {
      for (const [name, { value }] of loaded.variables) process.env[name] ??= value;
    }
    return loaded;
  }
}
