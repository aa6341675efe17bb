import { InfraError } from '@core-infra/kernel';
import { NestLogger } from '@core-infra/logger';
import { type INestApplication, Logger, type Type } from '@nestjs/common';
import { constants } from 'node:os';
import { shutDown, type ShutdownTarget } from '../shutdown/shutdown.js';
import type { ShutdownReport } from '../shutdown/shutdown-report.js';
import { createApp, type CreateAppOptions, listen } from './create-app.js';
import { warnOfEarlyHooks } from './early-hooks.js';

export interface BootstrapOptions extends CreateAppOptions {
  /** Signals that begin the shutdown; a second one ends the process at once. @default ['SIGTERM', 'SIGINT'] */
  signals?: readonly NodeJS.Signals[];
}

/**
 * A service's `main.ts` in one line: creates the app, listens, and ends it in order on a signal.
 * It owns the exit code: 0 after a clean shutdown, 1 when the boot failed or a step of the shutdown was abandoned or failed.
 * Resolves once the app listens; a boot that fails ends the process.
 */
export async function bootstrap(module: Type, options: BootstrapOptions = {}): Promise<void> {
  const logger = new Logger('Bootstrap');
  const signals = options.signals ?? ['SIGTERM', 'SIGINT'];
  let target: ShutdownTarget | undefined;
  let asked: NodeJS.Signals | undefined;
  const end = async (signal: NodeJS.Signals, running: ShutdownTarget) => {
    logger.log(`${signal}: shutting down`);
    const report = await shutDown(running, signal);
    logReport(logger, report);
    await running.app.get(NestLogger, { strict: false }).flush();
    process.exit(report.outcome === 'clean' ? 0 : 1);
  };
  for (const signal of signals) {
    process.on(signal, () => {
      if (asked) return process.exit(128 + constants.signals[signal]);
      asked = signal;
      if (target) void end(signal, target);
      return undefined;
    });
  }
  try {
    const created = await createApp(module, options);
    target = created;
    if (asked) return await end(asked, created);
    warnOfEarlyHooks(created.app, logger);
    logger.log(await start(created));
  } catch (error) {
    logger.fatal(...describe(error));
    await target?.app.close();
    process.exit(1); // the logger writes out what it holds as the process exits
  }
}

/** Listens; a worker without HTTP is kept alive instead, as its connections may hold no handle that does. */
async function start({ app, closer }: ShutdownTarget): Promise<string> {
  if (closer) return `Listening on ${await listen(app as INestApplication)}`;
  setInterval(() => undefined, 2 ** 31 - 1);
  return 'Started';
}

function logReport(logger: Logger, report: ShutdownReport): void {
  const { outcome, durationMs } = report;
  if (outcome === 'clean') logger.log('Shut down', { shutdown: report });
  else logger.error(`Shut down after ${durationMs} ms, not clean: ${report.problems.join('; ')}`, { shutdown: report });
}

/** An error of ours says what to do, so its stack would only hide that; any other keeps it. */
function describe(error: unknown): [string, ...unknown[]] {
  if (error instanceof InfraError) return [`${error.code}: ${error.message}`];
  return [error instanceof Error ? error.message : String(error), error instanceof Error ? error.stack : undefined];
}
