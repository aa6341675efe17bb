import type { AppLogger, LogFields } from './app.logger.js';
import type { LineLimiter } from './line.limiter.js';

/** Writes a line whose level has been found sufficient. */
export interface LineWriter {
  write(fields: object | undefined, message: string, level: number): void;
  /** Of fields that are JSON already, beginning with a comma. */
  writeEncoded(fields: string, message: string, level: number): void;
  child(fields: object): LineWriter;
}

/** What loggers share. */
export interface LoggerSite {
  /** Undefined while nothing is limited. */
  readonly limiter: LineLimiter | undefined;
  named(name: string, bindings?: LogFields): AppLogger;
  channel(channel: string, name: string, bindings?: LogFields): AppLogger;
  flushSync(): void;
}
