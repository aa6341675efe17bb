import { setTimeout as delay } from 'node:timers/promises';
import { ConnectFailedError, StepTimeoutError } from '../errors/errors.js';
import type { Classification } from '../ports/classify.js';
import { withoutCredentials } from '../errors/without-credentials.js';
import type { Entry } from './entry.js';
import { runStep } from './run-step.js';

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** Exponential from 100 ms to 5 s, each with full jitter on its upper half, so that instances do not knock in step. */
function pauseMs(attempt: number): number {
  const cap = Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
  return cap / 2 + Math.random() * (cap / 2);
}

/**
 * Connects within `connectTimeoutMs`: a server that is away is asked again until then, an answer that no retry mends (a wrong password) fails at once.
 * @throws ConnectFailedError
 */
export async function connectRequired(
  entry: Entry,
  classify: (error: unknown) => Classification,
  stop: AbortSignal,
): Promise<void> {
  const { connect, address } = entry.opened;
  if (!connect) return;
  const budgetMs = entry.config.connectTimeoutMs;
  let last: unknown;
  try {
    await runStep(
      entry.id,
      'open',
      budgetMs,
      async signal => {
        const either = AbortSignal.any([signal, stop]);
        for (let attempt = 0; ; attempt += 1) {
          try {
            return await connect(either);
          } catch (error) {
            last = error;
            if (either.aborted || !classify(error).retryable) throw error;
            await delay(pauseMs(attempt), undefined, { signal: either });
          }
        }
      },
      entry.app,
    );
  } catch (error) {
    const cause = last ?? error;
    const late = error instanceof StepTimeoutError;
    throw new ConnectFailedError(
      entry.id,
      address,
      `${reasonOf(cause)}${late ? ` (gave up after connectTimeoutMs, ${budgetMs} ms)` : ''}`,
      `Start the server, correct the address or the credentials in the section "${entry.section}", or set startup: 'background' to boot without it.`,
      { cause },
    );
  }
}

/** Connects in the background and keeps trying until it works or `stop` aborts. */
export async function connectInBackground(
  entry: Entry,
  stop: AbortSignal,
  report: (error: unknown, attempt: number) => void,
): Promise<void> {
  const { connect } = entry.opened;
  for (let attempt = 0; connect && !stop.aborted; attempt += 1) {
    try {
      await runStep(
        entry.id,
        'open',
        entry.config.connectTimeoutMs,
        signal =>
          // The shutdown waits for this loop, and not for a client that does not listen.
          unlessAborted(async () => connect(AbortSignal.any([signal, stop])), stop),
        entry.app,
      );
      return;
    } catch (error) {
      if (stop.aborted) return;
      report(error, attempt);
      await delay(pauseMs(attempt), undefined, { signal: stop, ref: false }).catch(() => undefined); // aborted: the loop ends
    }
  }
}

/**
 * The message of an error, or of what it aggregates (Node joins the failures of IPv4 and IPv6 in one without a message),
 * with the credentials of addresses in it masked.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return [...new Set(error.errors.map(reasonOf))].join('; ');
  return withoutCredentials(error instanceof Error ? error.message || error.name : String(error));
}

/** Settles as `work` does, or rejects as soon as the signal aborts, whether `work` listens to that or not. */
async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort!: () => void;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
