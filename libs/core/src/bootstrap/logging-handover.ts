import { NestLogger } from '@core-infra/logger';
import { ConsoleLogger, type INestApplicationContext, Logger } from '@nestjs/common';

/** Nest's lines are held back until the app's own logger stands, and handed over to that. */
export class LoggingHandover {
  private taken = false;

  take(app: INestApplicationContext): void {
    app.useLogger(app.get(NestLogger, { strict: false }));
    app.flushLogs();
    this.taken = true;
  }

  /** For a boot that failed before the logger stood: what was held back goes to the console, as JSON where a program reads it. */
  fallBack(): void {
    if (this.taken) return;
    Logger.overrideLogger(new ConsoleLogger({ json: !process.stdout.isTTY }));
    Logger.flush();
  }
}
