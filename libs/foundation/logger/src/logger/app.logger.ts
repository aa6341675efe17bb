import { levelValues, type LogLevel } from '../levels.js';
import type { LevelRef } from './log.levels.js';
import type { LoggerSite, LineWriter } from './logger.site.js';

/** What a line tells besides its message. `err` is shown with its stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Writes lines with fields: `logger.info('order placed', { orderId })`. Injected by type, it is named after the class which it is injected into.
 * A call below the logger's level costs a comparison; no call ever throws.
 */
export class AppLogger {
  /** @internal Made by LoggerModule. */
  constructor(
    private readonly site: LoggerSite,
    readonly name: string,
    private readonly line: LineWriter,
    private readonly level: LevelRef,
    private readonly bindings: LogFields | undefined,
  ) {}

  trace(message: string, fields?: LogFields | Error): void {
    if (this.level.value <= 10) this.write(10, message, fields);
  }

  debug(message: string, fields?: LogFields | Error): void {
    if (this.level.value <= 20) this.write(20, message, fields);
  }

  info(message: string, fields?: LogFields | Error): void {
    if (this.level.value <= 30) this.write(30, message, fields);
  }

  warn(message: string, fields?: LogFields | Error): void {
    if (this.level.value <= 40) this.write(40, message, fields);
  }

  error(message: string, fields?: LogFields | Error): void {
    if (this.level.value <= 50) this.write(50, message, fields);
  }

  /** Also writes out everything that is held in memory. The process goes on. */
  fatal(message: string, fields?: LogFields | Error): void {
    if (this.level.value > 60) return;
    this.write(60, message, fields);
    this.site.flushSync();
  }

  log(level: LogLevel, message: string, fields?: LogFields | Error): void {
    this[level](message, fields);
  }

  /** @internal Of fields that are JSON already, beginning with a comma. */
  logEncoded(level: LogLevel, message: string, fields: string): void {
    if (this.isEnabled(level)) this.line.writeEncoded(fields, message, levelValues[level]);
  }

  /** Whether a line of this level would be written: for fields that are costly to gather. */
  isEnabled(level: LogLevel): boolean {
    return this.level.value <= levelValues[level];
  }

  /** The same logger, with these fields on each line. */
  child(fields: LogFields): AppLogger {
    const bindings = this.bindings ? { ...this.bindings, ...fields } : fields;
    return new AppLogger(this.site, this.name, this.line.child(fields), this.level, bindings);
  }

  /** The same logger on a channel (`audit`, `security`, …), which may have a destination and a level of its own. */
  channel(channel: string): AppLogger {
    return this.site.channel(channel, this.name, this.bindings);
  }

  /** A logger of another name, with that name's level. */
  named(name: string): AppLogger {
    return this.site.named(name, this.bindings);
  }

  private write(level: number, message: string, fields: LogFields | Error | undefined): void {
    const { limiter } = this.site;
    if (limiter !== undefined) {
      const suppressed = limiter.admit(this.name, level, message);
      if (suppressed < 0) return;
      if (suppressed > 0) {
        this.line.write({ ...(fields instanceof Error ? { err: fields } : fields), suppressed }, message, level);
        return;
      }
    }
    this.line.write(fields instanceof Error ? { err: fields } : fields, message, level);
  }
}
