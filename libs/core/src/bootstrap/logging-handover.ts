import { LoggingConfig, LogRoot, NestLogger } from '@core-infra/logger';
import { type INestApplicationContext, Logger } from '@nestjs/common';

/** Nest's lines are held back until the app's own logger stands, and handed over to that. */
export class LoggingHandover {
  private taken = false;

  take(app: INestApplicationContext): void {
    app.useLogger(app.get(NestLogger, { strict: false }));
    app.flushLogs();
    this.taken = true;
  }

  /**
   * For a boot that failed before the logger stood: what was held back is written all the same, in the same form and as carefully
   * redacted as everything else, by a logger with the defaults.
   */
  fallBack(): void {
    if (this.taken) return;
    const config = Object.assign(new LoggingConfig(), { format: process.stdout.isTTY ? 'text' : 'json' });
    Logger.overrideLogger(new NestLogger(new LogRoot({ config })));
    Logger.flush();
  }
}
