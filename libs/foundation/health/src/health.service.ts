import { Injectable, Optional } from '@nestjs/common';
import { AppState, type Check, Clock, type HealthContributorOptions } from '@core-infra/kernel';
import type { Indicator } from './check.definition.js';
import type { CheckMonitor } from './check.monitor.js';
import { CheckRegistry, type HealthListener } from './check.registry.js';
import { UnknownCheckError } from './errors.js';
import { HealthConfig } from './health.config.js';
import { type CheckReport, type HealthReport, overallStatus, reportOf } from './health.report.js';

/** The app's health, from code: what `/health` answers, with all details. */
@Injectable()
export class HealthService {
  private latest?: HealthReport;
  private freshUntil = Number.NEGATIVE_INFINITY;
  private pending?: Promise<HealthReport>;
  private readonly clock: Clock;

  constructor(
    private readonly config: HealthConfig,
    private readonly registry: CheckRegistry,
    private readonly state: AppState,
    @Optional() clock?: Clock,
  ) {
    this.clock = clock ?? Clock.system;
  }

  /**
   * All checks in parallel, each within its budget, the whole within `deadlineMs`; results are shared for `cacheMs`.
   * Once the shutdown began nothing is asked any more: the status is `shutting_down`, with what was known.
   */
  check(): Promise<HealthReport>;
  /**
   * One check, in the same way.
   * @throws UnknownCheckError when none has that name
   */
  check(name: string): Promise<CheckReport>;
  check(name?: string): Promise<HealthReport | CheckReport> {
    if (name !== undefined) return this.one(name);
    const known = this.fresh();
    return known ? Promise.resolve(known) : (this.pending ??= this.collect().finally(() => (this.pending = undefined)));
  }

  /** Whether readiness stands: no critical check is down and the process is not shutting down. With a name: whether that check is not down. */
  async isHealthy(name?: string): Promise<boolean> {
    if (name !== undefined) return (await this.check(name)).status !== 'down';
    const { status } = await this.check();
    return status === 'ok' || status === 'degraded';
  }

  /**
   * Calls back once for each change of a check's state.
   * @returns stops listening
   */
  onChange(listener: HealthListener): () => void {
    return this.registry.listen(listener);
  }

  /**
   * Adds a check: any of Terminus' indicators as it is, `() => this.http.pingCheck('docs', url)`, or a function like `check` of a `@HealthContributor`.
   * @returns removes it again
   * @throws DuplicateCheckError
   * @throws InvalidCheckError
   */
  add(name: string, indicator: Indicator, options: HealthContributorOptions = {}): () => void {
    const monitor = this.registry.add({
      name,
      owner: `HealthService.add('${name}')`,
      critical: options.critical ?? true,
      timeoutMs: options.timeoutMs ?? 1_000,
      run: typeof indicator === 'function' ? (indicator as Check) : () => indicator as never, // an attempt is awaited, and so runs
      terminus: true,
    });
    this.outdate();
    return () => {
      this.registry.remove(monitor);
      this.outdate();
    };
  }

  /** The names of all checks. */
  names(): string[] {
    return this.registry.names();
  }

  /**
   * The last report, while it may be shared; it is the same object until the next one.
   * @internal
   */
  fresh(): HealthReport | undefined {
    if (this.stopped) return reportOf('shutting_down', this.known(this.registry.all()));
    return this.latest && this.clock.monotonic() < this.freshUntil ? this.latest : undefined;
  }

  /** @internal */
  async some(names: readonly string[]): Promise<HealthReport> {
    const monitors = names.map(name => this.monitor(name));
    if (!this.stopped) await this.refreshed(monitors);
    const checks = this.known(monitors);
    return reportOf(overallStatus(checks), checks);
  }

  private async one(name: string): Promise<CheckReport> {
    const monitor = this.monitor(name);
    if (!this.stopped) await this.refreshed([monitor]);
    return monitor.report();
  }

  private async collect(): Promise<HealthReport> {
    const monitors = this.registry.all();
    await this.refreshed(monitors);
    if (this.stopped) return reportOf('shutting_down', this.known(monitors));
    const checks = this.known(monitors);
    this.freshUntil = this.clock.monotonic() + this.config.cacheMs;
    return (this.latest = reportOf(overallStatus(checks), checks));
  }

  /** Waits for all, but not beyond the deadline; a check that is not done goes on, and its result is seen by the next answer. */
  private async refreshed(monitors: readonly CheckMonitor[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>(resolve => {
      timer = setTimeout(resolve, this.config.deadlineMs);
    });
    await Promise.race([Promise.all(monitors.map(monitor => monitor.refresh())), deadline]);
    clearTimeout(timer);
  }

  private known(monitors: readonly CheckMonitor[]): CheckReport[] {
    return monitors.map(monitor => monitor.report());
  }

  private monitor(name: string): CheckMonitor {
    const monitor = this.registry.get(name);
    if (!monitor) throw new UnknownCheckError(name, this.registry.names());
    return monitor;
  }

  private get stopped(): boolean {
    return this.state.shuttingDown.aborted;
  }

  private outdate(): void {
    this.freshUntil = Number.NEGATIVE_INFINITY;
  }
}
