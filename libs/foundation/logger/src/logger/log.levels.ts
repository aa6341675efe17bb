import type { AppInfo } from '@core-infra/kernel';
import { levelValues, type LogThreshold } from '../levels.js';
import type { LoggingConfig } from '../logging.config.js';

/** Thresholds of loggers whose names are data are not remembered beyond this. */
const maxNames = 5_000;

/** A logger's threshold. It is read on each call and changed when the configuration is. */
export interface LevelRef {
  value: number;
}

/** The level where none is configured. */
export function defaultLevel(app: AppInfo): LogThreshold {
  if (app.debug) return 'debug';
  return app.environment === 'test' ? 'warn' : 'info';
}

/** Thresholds by logger name. */
export class LogLevels {
  private readonly refs = new Map<string, LevelRef>();

  constructor(
    private readonly config: LoggingConfig,
    private readonly app: AppInfo,
  ) {}

  /** The threshold of all loggers that have none of their own. */
  get level(): LogThreshold {
    return this.config.level ?? defaultLevel(this.app);
  }

  of(name: string): LevelRef {
    const known = this.refs.get(name);
    if (known) return known;
    const ref = { value: this.valueOf(name) };
    if (this.refs.size < maxNames) this.refs.set(name, ref);
    return ref;
  }

  /** Reads the configuration anew. */
  refresh(): void {
    for (const [name, ref] of this.refs) ref.value = this.valueOf(name);
  }

  private valueOf(name: string): number {
    const { levels } = this.config;
    const named = Object.hasOwn(levels, name) ? levels[name] : undefined;
    return levelValues[named ?? this.byPrefix(name) ?? this.level];
  }

  /** The longest prefix wins. */
  private byPrefix(name: string): LogThreshold | undefined {
    const patterns = Object.keys(this.config.levels).filter(
      key => key.endsWith('*') && name.startsWith(key.slice(0, -1)),
    );
    const longest = patterns.sort((a, b) => b.length - a.length)[0];
    return longest === undefined ? undefined : this.config.levels[longest];
  }
}
