import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Importable, rootModule } from './boot-infra.js';
import { RecordingLogger } from './recording-logger.js';

/** A booted application context, and what it has logged. */
export interface LoggedApp extends AsyncDisposable {
  readonly app: INestApplicationContext;
  readonly logger: RecordingLogger;
}

/** Boots modules with a logger that keeps what is written; closes at the end of the block: `await using booted = await bootLogged(...)`. */
export async function bootLogged(...imports: Importable[]): Promise<LoggedApp> {
  const logger = new RecordingLogger();
  const app = await NestFactory.createApplicationContext(rootModule(imports), { logger, abortOnError: false });
  return { app, logger, [Symbol.asyncDispose]: () => app.close() };
}
