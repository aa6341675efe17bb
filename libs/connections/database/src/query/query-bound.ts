import type { ContextFields } from '@core-infra/kernel';
import { QueryCancelledError, QueryDeadlineError } from '../errors.js';

/** When the running request stops waiting for an answer. */
export interface QueryBound {
  /** Whether that has happened already. */
  readonly over: boolean;
  /** Calls back when it happens; the returned function stops listening. */
  onOver(listener: () => void): () => void;
  /** The error for work that it ends. */
  error(connection: string, stage: string, cause?: unknown): QueryCancelledError | QueryDeadlineError;
}

/** The longest delay that a Node timer takes. */
const longestTimerMs = 2 ** 31 - 1;

/** What bounds a call in this context; `undefined` when nothing does, at the cost of two property reads. */
export function boundOf(context: Readonly<ContextFields> | undefined, now: () => number): QueryBound | undefined {
  if (context === undefined) return undefined;
  const { signal, deadline } = context;
  if (signal === undefined && deadline === undefined) return undefined;
  // A timer may fire some milliseconds before the time that it was set for: what it has ended was late all the same.
  let timedOut = false;
  const passed = () => timedOut || (deadline !== undefined && now() >= deadline);
  return {
    get over() {
      return (signal?.aborted ?? false) || passed();
    },
    onOver: listener => {
      const end = (): void => {
        timedOut = true;
        listener();
      };
      const timer =
        deadline === undefined ? undefined : setTimeout(end, Math.min(Math.max(0, deadline - now()), longestTimerMs));
      signal?.addEventListener('abort', listener, { once: true });
      return () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', listener);
      };
    },
    error: (connection, stage, cause) => {
      const late = passed() || (signal?.reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
      return late
        ? new QueryDeadlineError(connection, stage, { cause })
        : new QueryCancelledError(connection, stage, { cause });
    },
  };
}
