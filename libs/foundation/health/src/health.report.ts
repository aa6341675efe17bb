export type CheckStatus = 'up' | 'degraded' | 'down';
export type HealthStatus = 'ok' | 'degraded' | 'error' | 'shutting_down' | 'starting';

/** A failure, in words; credentials in URLs are masked. */
export interface FailureReport {
  readonly message: string;
  readonly code?: string;
  /** ISO 8601. */
  readonly at: string;
}

/** A change of a check's state that is remembered. */
export interface StateChange {
  readonly from: CheckStatus | 'unknown';
  readonly to: CheckStatus;
  /** ISO 8601. */
  readonly at: string;
  readonly error?: string;
}

/** All that is known of one check. */
export interface CheckReport {
  readonly name: string;
  readonly status: CheckStatus;
  readonly critical: boolean;
  /** Why it is degraded or down. */
  readonly reason?: string;
  /** Since when it has this status, ISO 8601. */
  readonly since?: string;
  /** When it last ran, ISO 8601. */
  readonly checkedAt?: string;
  /** How long the last run took, in milliseconds. */
  readonly durationMs?: number;
  readonly lastSuccessAt?: string;
  readonly lastError?: FailureReport;
  readonly failuresInARow: number;
  /** Newest last. */
  readonly history: readonly StateChange[];
  /** What the check itself tells: pool statistics, lag, versions. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** All checks, and what they come to. */
export interface HealthReport {
  readonly status: HealthStatus;
  readonly checks: Readonly<Record<string, CheckReport>>;
}

/** `error` when a critical check is down, `degraded` when anything else is not up. */
export function overallStatus(checks: readonly CheckReport[]): 'ok' | 'degraded' | 'error' {
  if (checks.some(({ critical, status }) => critical && status === 'down')) return 'error';
  return checks.every(({ status }) => status === 'up') ? 'ok' : 'degraded';
}

export function reportOf(status: HealthStatus, checks: readonly CheckReport[]): HealthReport {
  return { status, checks: Object.fromEntries(checks.map(check => [check.name, check])) };
}
