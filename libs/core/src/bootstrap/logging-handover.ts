import { NestLogger } from '@core-infra/logger';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { EarlyLogger } from './early.logger.js';

/** Nest's lines are held back until the app's own logger stands, and handed over to that. */
export class LoggingHandover {
  /** What Nest is created with. When its injector fails, Nest itself writes out what was held back, and why. */
  readonly nestOptions = { logger: new EarlyLogger(), bufferLogs: true, abortOnError: false } as const;
  private taken = false;

  take(app: INestApplicationContext): void {
    app.useLogger(app.get(NestLogger, { strict: false }));
    app.flushLogs();
    this.taken = true;
  }

  /** For a boot that failed before the logger stood: what was held back is written all the same. */
  fallBack(): void {
    if (!this.taken) Logger.flush();
  }
}
