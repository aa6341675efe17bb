import { SetMetadata } from '@nestjs/common';

/** What a check may tell: details for authorised eyes, and whether it works with a limp. */
export interface CheckResult {
  /** Why the thing counts as degraded though it answers; leave it out when all is well. */
  degraded?: string;
  [detail: string]: unknown;
}

/** A check: resolves when healthy, rejects when not; the thrown error is the report. It must give up when the signal aborts. */
export type Check = (signal: AbortSignal) => Promise<CheckResult | void> | CheckResult | void;

export interface HealthContributorOptions {
  /** Whether readiness falls with this check; if not, a failure is `degraded`. @default true */
  critical?: boolean;
  /** Budget for one run, in milliseconds. @default 1_000 */
  timeoutMs?: number;
}

/** What {@link HealthContributor} leaves on a provider's class, under {@link HEALTH_CONTRIBUTOR}. */
export interface HealthContribution extends Required<HealthContributorOptions> {
  readonly name: string;
}

export const HEALTH_CONTRIBUTOR = 'core-infra:health-contributor';

/** A provider that has a check: `check(signal)`, as in {@link Check}. */
export interface HealthContributing {
  check: Check;
}

/**
 * Makes a provider's `check(signal)` part of `/health`, under `name`. The health module finds it; without that, nothing happens.
 */
export function HealthContributor(name: string, options: HealthContributorOptions = {}): ClassDecorator {
  const contribution: HealthContribution = { critical: true, timeoutMs: 1_000, ...options, name };
  return SetMetadata(HEALTH_CONTRIBUTOR, contribution);
}
