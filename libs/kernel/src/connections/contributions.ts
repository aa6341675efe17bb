import { NotConnectedError } from '../errors/errors.js';
import type { Check, CheckResult } from '../ports/health-contributor.js';
import type { ReadMetrics } from '../ports/metrics-contributor.js';
import type { Entry } from './entry.js';
import { runStep } from './run-step.js';

/** A check that a connection contributes. */
export interface ConnectionCheck {
  readonly name: string;
  readonly critical: boolean;
  readonly timeoutMs: number;
  /** Rejects when the connection is not healthy, within `timeoutMs`. */
  readonly run: () => Promise<CheckResult | void>;
}

/** The numbers that a connection contributes. */
export interface ConnectionMetrics {
  readonly id: string;
  /** Throws or rejects when they cannot be read, and while the connection is not open. */
  readonly read: ReadMetrics;
}

export function checksOf(entry: Entry): ConnectionCheck[] {
  const { check } = entry.opened;
  const named: [string, Check][] =
    typeof check === 'object'
      ? Object.entries(check).map(([part, run]) => [[entry.healthName, part].filter(Boolean).join('-'), run])
      : [[entry.healthName, check ?? (() => undefined)]];
  const { id, app } = entry;
  const { critical, checkTimeoutMs: timeoutMs } = entry.config;
  return named.map(([name, run]) => ({
    name,
    critical,
    timeoutMs,
    run: () => {
      const step = (signal: AbortSignal): ReturnType<Check> => {
        assertOpen(entry);
        return run(signal);
      };
      return runStep(id, 'check', timeoutMs, step, app);
    },
  }));
}

export function metricsOf(entry: Entry): ConnectionMetrics[] {
  const { metrics } = entry.opened;
  if (!metrics) return [];
  const read: ReadMetrics = signal => {
    assertOpen(entry);
    return metrics(signal);
  };
  return [{ id: entry.id, read }];
}

function assertOpen({ id, state, lastError }: Entry): void {
  if (state !== 'open') throw new NotConnectedError(id, { cause: lastError });
}
