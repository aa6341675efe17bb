import type { HealthIndicatorService } from '@nestjs/terminus';
import { type Clock, type HealthChange, operations, sentBy } from '@core-infra/kernel';
import type { CheckDefinition } from './check.definition.js';
import { failure, type Outcome, settle } from './check.outcome.js';
import { CheckTimeoutError } from './errors.js';
import type { HealthConfig } from './health.config.js';
import type { CheckReport, CheckStatus, FailureReport, StateChange } from './health.report.js';

const runs = operations('health');

/** A check that ignores its signal is left behind at the end of its budget. When so many are, a further one is begun only now and then. */
const maxLeftBehind = 3;
const leftBehindPauseMs = 30_000;

export interface MonitorSite {
  readonly indicators: HealthIndicatorService;
  readonly config: HealthConfig;
  readonly clock: Clock;
  /** The application, for who hears of a run on the channel. */
  readonly app: object;
  readonly changed: (change: HealthChange, check: CheckReport) => void;
}

/** Runs one check, shares its result, damps its flapping and remembers its past. */
export class CheckMonitor {
  private running?: Promise<void>;
  private freshUntil = Number.NEGATIVE_INFINITY;
  private status?: CheckStatus;
  private since?: number;
  private checkedAt?: number;
  private durationMs?: number;
  private lastSuccessAt?: number;
  private lastError?: FailureReport;
  private last?: Outcome;
  private failures = 0;
  private successes = 0;
  private history: StateChange[] = [];
  private unsettled = 0;
  private begunAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly definition: CheckDefinition,
    private readonly site: MonitorSite,
  ) {}

  /** Resolves when there is a result no older than `cacheMs`; runs are shared, and none is begun beside another that is within its budget. Never rejects. */
  refresh(): Promise<void> {
    if (this.running) return this.running;
    if (this.site.clock.monotonic() < this.freshUntil) return Promise.resolve();
    return (this.running = this.run().finally(() => (this.running = undefined)));
  }

  /** Whether the last result is at odds with the state, so that another run soon would settle it. */
  get undecided(): boolean {
    return this.last !== undefined && (this.last.status === 'down') !== (this.status === 'down');
  }

  /** What is known now, without asking. */
  report(): CheckReport {
    const { name, critical } = this.definition;
    const { status, last } = this;
    const unanswered = this.running ? new CheckTimeoutError(name, this.site.config.deadlineMs).problem : 'not run yet';
    const reason = status === undefined ? unanswered : (last?.reason ?? this.waiting());
    return {
      name,
      status: status ?? 'down',
      critical,
      ...(reason === undefined ? {} : { reason }),
      ...(this.since === undefined ? {} : { since: iso(this.since) }),
      ...(this.checkedAt === undefined ? {} : { checkedAt: iso(this.checkedAt), durationMs: this.durationMs }),
      ...(this.lastSuccessAt === undefined ? {} : { lastSuccessAt: iso(this.lastSuccessAt) }),
      ...(this.lastError === undefined ? {} : { lastError: this.lastError }),
      failuresInARow: this.failures,
      history: [...this.history],
      ...(last?.details === undefined ? {} : { details: last.details }),
    };
  }

  private waiting(): string | undefined {
    if (this.status !== 'down') return undefined;
    return `answers again, ${this.successes} of ${this.site.config.successThreshold} times`;
  }

  private async run(): Promise<void> {
    const { clock, config } = this.site;
    const began = clock.monotonic();
    const outcome = await this.attempt();
    this.durationMs = Math.round(clock.monotonic() - began);
    this.freshUntil = clock.monotonic() + config.cacheMs;
    this.record(outcome, clock.now());
  }

  /** Terminus keeps the budget: at its end it aborts the signal and goes on without the check. */
  private async attempt(): Promise<Outcome> {
    const { definition, site } = this;
    const now = site.clock.monotonic();
    if (this.unsettled >= maxLeftBehind && now - this.begunAt < leftBehindPauseMs)
      return failure(new CheckTimeoutError(definition.name, definition.timeoutMs));
    this.begunAt = now;
    let outcome: Outcome | undefined;
    const attempt = site.indicators
      .check(definition.name)
      .attempt(async ({ signal }) => {
        this.unsettled += 1;
        outcome = await settle(definition, signal);
        this.unsettled -= 1;
      })
      .withTimeout(definition.timeoutMs);
    const trace = sentBy(site.app, { component: 'health', connection: definition.name, operation: 'check' });
    try {
      await runs.tracePromise(async () => {
        await attempt;
        outcome ??= failure(new CheckTimeoutError(definition.name, definition.timeoutMs));
        if (outcome.status === 'down') throw outcome.error; // so that subscribers see it fail
      }, trace);
    } catch (error) {
      outcome ??= failure(error);
    }
    return outcome!;
  }

  private record(outcome: Outcome, now: number): void {
    const from = this.status ?? 'unknown';
    const to = this.decide(outcome);
    this.last = outcome;
    this.checkedAt = now;
    if (outcome.status === 'down')
      this.lastError = {
        message: outcome.reason ?? 'failed',
        ...(outcome.code && { code: outcome.code }),
        at: iso(now),
      };
    else this.lastSuccessAt = now;
    this.status = to;
    if (from === to) return;
    this.since = now;
    this.remember({ from, to, at: iso(now), ...(to !== 'up' && outcome.reason ? { error: outcome.reason } : {}) });
    if (from === 'unknown' && to === 'up') return; // what was expected is no news
    this.site.changed(
      { name: this.definition.name, from, to, ...(to !== 'up' && { error: outcome.error ?? outcome.reason }) },
      this.report(),
    );
  }

  /** The state after this outcome: a check goes down, and comes up again, only after enough results in a row. */
  private decide({ status }: Outcome): CheckStatus {
    const { failureThreshold, successThreshold } = this.site.config;
    if (status === 'down') {
      this.failures += 1;
      this.successes = 0;
      const down = this.status === undefined || this.status === 'down' || this.failures >= failureThreshold;
      return down ? 'down' : 'degraded';
    }
    this.failures = 0;
    this.successes += 1;
    return this.status === 'down' && this.successes < successThreshold ? 'down' : status;
  }

  private remember(change: StateChange): void {
    const { historySize } = this.site.config;
    this.history = historySize === 0 ? [] : [...this.history, change].slice(-historySize);
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
