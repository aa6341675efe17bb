import { InfraError } from '@core-infra/kernel';
import { NestLogger } from '@core-infra/logger';
import { type INestApplication, Logger, type Type } from '@nestjs/common';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ShutdownConfig } from '../shutdown/shutdown.config.js';
import { shutDown, type ShutdownTarget } from '../shutdown/shutdown.js';
import type { ShutdownReport } from '../shutdown/shutdown-report.js';
import { createApp, type CreateAppOptions, listen } from './create-app.js';
import { warnOfEarlyHooks } from './early-hooks.js';

export interface BootstrapOptions extends Omit<CreateAppOptions, 'signal'> {
  /** Signals that begin the shutdown; a second one ends the process at once. @default ['SIGTERM', 'SIGINT'] */
  signals?: readonly NodeJS.Signals[];
}

/** How long a shutdown waits for a start that is under way, in milliseconds. */
const START_GRACE_MS = 5_000;

/**
 * A service's `main.ts` in one line: creates the app, listens, and ends it in order on a signal.
 * It owns the exit code: 0 after a clean shutdown, 1 when the boot failed or a step of the shutdown was abandoned or failed,
 * 128 and the signal's number when a signal broke the boot off or a second one the shutdown.
 * Resolves once the app listens; a boot that fails ends the process.
 */
export async function bootstrap(module: Type, options: BootstrapOptions = {}): Promise<void> {
  const logger = new Logger('Bootstrap');
  const signals = options.signals ?? ['SIGTERM', 'SIGINT'];
  let target: ShutdownTarget | undefined;
  let asked: NodeJS.Signals | undefined;
  let starting: Promise<string> | undefined;
  const boot = new AbortController();
  const end = async (signal: NodeJS.Signals, running: ShutdownTarget) => {
    logger.log(`${signal}: shutting down`);
    if (!(await begun(starting))) return; // it has failed, and is closed for that
    const report = await shutDown(running, signal);
    logReport(logger, report);
    await running.app.get(NestLogger, { strict: false }).flush();
    process.exit(report.outcome === 'clean' ? 0 : 1);
  };
  const breakOff = (signal: NodeJS.Signals) => {
    boot.abort(new Error(`${signal}: the boot is broken off`));
    setTimeout(() => process.exit(codeOf(signal)), new ShutdownConfig().timeoutMs).unref();
  };
  for (const signal of signals) {
    process.on(signal, () => {
      if (asked) return process.exit(codeOf(signal));
      asked = signal;
      if (target) void end(signal, target);
      else breakOff(signal);
      return undefined;
    });
  }
  try {
    const created = await createApp(module, { ...options, signal: boot.signal });
    target = created;
    if (asked) return await end(asked, created);
    warnOfEarlyHooks(created.app, logger);
    starting = start(created);
    logger.log(await starting);
  } catch (error) {
    if (asked && !target) {
      logger.warn(`${asked}: the boot was broken off`);
      process.exit(codeOf(asked));
    }
    logger.fatal(...describe(error));
    if (target) await closeFailed(target, logger);
    process.exit(1); // the logger writes out what it holds as the process exits
  }
}

/** Waits a moment for what is beginning to listen and to take messages, as one cannot close what is half open. @returns whether it has not failed */
async function begun(starting: Promise<string> | undefined): Promise<boolean> {
  if (!starting) return true;
  const settled = starting.then(
    () => true,
    () => false,
  );
  return Promise.race([settled, sleep(START_GRACE_MS, true, { ref: false })]);
}

/** Closes an app that could not listen, and waits no longer than a shutdown would. */
async function closeFailed({ app }: ShutdownTarget, logger: Logger): Promise<void> {
  const { timeoutMs } = app.get(ShutdownConfig, { strict: false });
  const late = sleep(timeoutMs, true);
  const closed = app.close().catch((error: unknown) => logger.error(...describe(error)));
  if (await Promise.race([closed, late])) logger.error(`The application did not close within ${timeoutMs} ms`);
}

const codeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

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
