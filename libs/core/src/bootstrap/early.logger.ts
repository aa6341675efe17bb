import { LoggingConfig, LogRoot, NestLogger } from '@core-infra/logger';
import type { LoggerService } from '@nestjs/common';

/**
 * For a boot that fails before the app's own logger stands: its lines have the same form and are as carefully redacted as all others, with
 * the defaults of the configuration. Nothing is made until the first line.
 */
export class EarlyLogger implements LoggerService {
  private made: NestLogger | undefined;

  log(message: unknown, ...rest: unknown[]): void {
    this.logger.log(message, ...rest);
  }

  /** Nest logs the failure of its injector with its whole inside; `bootstrap` says the same once, with the fix. */
  error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) === 'ExceptionHandler') return;
    this.logger.error(message, ...rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn(message, ...rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(message, ...rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.verbose(message, ...rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.logger.fatal(message, ...rest);
  }

  private get logger(): NestLogger {
    const format = process.stdout.isTTY ? 'text' : 'json';
    return (this.made ??= new NestLogger(new LogRoot({ config: Object.assign(new LoggingConfig(), { format }) })));
  }
}
