import { StepTimeoutError } from '../errors/errors.js';
import type { ConnectionStage } from '../ports/telemetry.js';
import { connectionStages, sentBy } from '../ports/telemetry.js';

export type StageName = ConnectionStage['stage'];

/** How one step of one connection ended. */
export interface StepReport {
  readonly id: string;
  readonly stage: StageName;
  readonly durationMs: number;
  /** `abandoned`: the budget ran out and the step was left behind. */
  readonly outcome: 'done' | 'failed' | 'abandoned';
  readonly error?: unknown;
}

/**
 * Runs a step within its budget, on the channel `infra:connection`.
 * @param app whose connection it is, as {@link appOf} tells it
 * @throws StepTimeoutError when the budget runs out, else whatever the step throws
 */
export async function runStep<T>(
  id: string,
  stage: StageName,
  budgetMs: number,
  step: (signal: AbortSignal) => T | Promise<T>,
  app?: object,
): Promise<T> {
  const abort = new AbortController();
  const timeout = new StepTimeoutError(id, stage === 'open' ? 'connect' : stage, budgetMs);
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => {
        reject(timeout);
        abort.abort(timeout);
      },
      Math.min(budgetMs, 2 ** 31 - 1),
    );
  });
  try {
    const message: ConnectionStage = { id, stage };
    if (app && connectionStages.hasSubscribers) sentBy(app, message);
    return await connectionStages.tracePromise(
      () => Promise.race([(async () => step(abort.signal))(), expired]),
      message,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** {@link runStep}, with its end as a value. */
export async function reportStep(
  id: string,
  stage: StageName,
  budgetMs: number,
  step: (signal: AbortSignal) => unknown,
  app?: object,
): Promise<StepReport> {
  const began = performance.now();
  const report = (outcome: StepReport['outcome'], error?: unknown): StepReport => ({
    id,
    stage,
    durationMs: Math.round(performance.now() - began),
    outcome,
    ...(error === undefined ? {} : { error }),
  });
  try {
    await runStep(id, stage, budgetMs, step, app);
    return report('done');
  } catch (error) {
    return report(error instanceof StepTimeoutError && error.connection === id ? 'abandoned' : 'failed', error);
  }
}
