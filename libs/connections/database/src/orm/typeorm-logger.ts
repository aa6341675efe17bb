import type { Logger as NestLogger } from '@nestjs/common';
import type { Logger } from 'typeorm';

/** What TypeORM says of itself. Statements are logged where they run, masked, and a failed one is thrown. */
export class TypeOrmLogger implements Logger {
  constructor(private readonly logger: Pick<NestLogger, 'debug' | 'warn'>) {}

  logQuery(): void {}
  logQueryError(): void {}
  logQuerySlow(): void {}

  logSchemaBuild(message: string): void {
    this.logger.debug(message);
  }

  logMigration(message: string): void {
    this.logger.debug(message);
  }

  log(level: 'log' | 'info' | 'warn', message: unknown): void {
    if (level === 'warn') this.logger.warn(String(message));
    else this.logger.debug(String(message));
  }
}
