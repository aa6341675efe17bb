import type { Clock, DriverSite } from '@core-infra/kernel';
import { cannotServe, isConnectionLoss, isTimeout } from '../commands/command-errors.js';
import { RedisUnavailableError } from '../errors.js';
import type { RedisAvailability } from './availability.js';
import { Deadlines } from './deadlines.js';
import type { Link } from './link.js';

/** Between two pings of a server that is away, in milliseconds, half of it more or less. */
const PROBE_EVERY_MS = 100;
/** How long a ping may take, in milliseconds; less where commands may take less. */
const PING_TIMEOUT_MS = 1_000;
/** So many unanswered pings on end, and the socket is given up. */
const PINGS_BEFORE_GIVING_UP = 2;

export interface MonitorSite {
  readonly id: string;
  readonly logger: Pick<DriverSite['logger'], 'log' | 'warn'>;
  readonly clock: Clock;
  readonly commandTimeoutMs: () => number;
}

/** How a time away ended, for those whose own connections may hang as well. */
export interface Return {
  /** Whether the server had not answered, rather than closed the connection. */
  readonly hadHung: boolean;
}

/** Knows from the connection's events and from commands that overran whether Redis answers; asks by itself while it does not. */
export class AvailabilityMonitor implements RedisAvailability {
  private readonly listeners = new Set<(available: boolean) => void>();
  private readonly returns = new Set<(how: Return) => void>();
  private readonly deadlines = new Deadlines();
  private available = false;
  private why = 'it is not connected yet';
  private hung = false;
  private awaySince: number | undefined;
  private unanswered = 0;
  private probing = false;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly site: MonitorSite,
    private readonly link: Link,
  ) {
    link.listen(
      () => void this.probe(),
      reason => this.lost(reason),
    );
  }

  get isAvailable(): boolean {
    return this.available;
  }

  /** Why Redis is away, while it is. */
  get reason(): string {
    return this.why;
  }

  run<T>(command: () => Promise<T>, timeoutMs: number = this.site.commandTimeoutMs()): Promise<T> {
    if (!this.available) return Promise.reject(this.unavailable());
    return new Promise<T>((resolve, reject) => {
      const deadline = this.deadlines.in(timeoutMs, () => {
        this.away(`no answer within ${timeoutMs} ms`, true);
        reject(this.unavailable());
      });
      const failed = (error: unknown) => {
        if (deadline.isMet) return;
        deadline.meet();
        reject(this.judged(error) as Error);
      };
      try {
        command().then(value => {
          deadline.meet();
          resolve(value);
        }, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  onChange(listener: (available: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Calls back when Redis is there again after having been away, before those of {@link onChange}. */
  onReturn(listener: (how: Return) => void): void {
    this.returns.add(listener);
  }

  /** Resolves when the server has answered a ping; rejects with the ping's error. */
  async confirm(): Promise<void> {
    if (this.available) return;
    await this.link.ping();
    this.back();
  }

  /** What is known of the reason besides, e.g. from an attempt to connect. */
  explain(reason: string): void {
    if (!this.available) this.why = reason;
  }

  /** Takes no more work and watches no more; what is under way may end. */
  retire(): void {
    this.closed = true;
    this.available = false;
    this.why = 'the connection was closed';
    clearTimeout(this.timer);
  }

  close(): void {
    this.retire();
    this.deadlines.end();
    this.listeners.clear();
    this.returns.clear();
  }

  private unavailable(cause?: unknown): RedisUnavailableError {
    return new RedisUnavailableError(this.site.id, this.why, { cause });
  }

  private judged(error: unknown): unknown {
    const late = isTimeout(error);
    if (!late && !isConnectionLoss(error)) return error;
    const reason = error instanceof RedisUnavailableError ? error.reason : (error as Error).message;
    this.away(reason, late);
    return error instanceof RedisUnavailableError
      ? error
      : new RedisUnavailableError(this.site.id, reason, { cause: error });
  }

  private lost(reason: string): void {
    // What it says of itself; whatever else is known of a connection that was lost, others have said better.
    if (cannotServe.test(reason)) this.explain(reason);
    this.away(reason, false);
    // A read may be sent again later: whoever came through here does not wait for that.
    this.deadlines.end();
  }

  private away(reason: string, hung: boolean): void {
    if (this.closed) return;
    if (!this.available) return;
    this.available = false;
    this.why = reason;
    this.hung = hung;
    this.awaySince = this.site.clock.monotonic();
    this.unanswered = 0;
    this.site.logger.warn({ msg: `${this.site.id} is away: ${reason}`, connection: this.site.id, reason });
    this.tell();
    void this.probe();
  }

  private back(): void {
    if (this.closed || this.available) return;
    this.available = true;
    clearTimeout(this.timer);
    const { awaySince, hung } = this;
    this.hung = false;
    if (awaySince !== undefined) {
      const awayMs = Math.round(this.site.clock.monotonic() - awaySince);
      this.site.logger.log({ msg: `${this.site.id} is back after ${awayMs} ms`, connection: this.site.id, awayMs });
      for (const listener of this.returns) listener({ hadHung: hung });
    }
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener(this.available);
  }

  /** One ping at a time, each with its own limit, until one is answered. */
  private async probe(): Promise<void> {
    if (this.closed || this.available || this.probing) return;
    clearTimeout(this.timer);
    this.probing = true;
    try {
      if (this.link.isReady && (await this.answers())) this.back();
    } finally {
      this.probing = false;
    }
    if (this.closed || this.available) return;
    this.timer = setTimeout(() => void this.probe(), PROBE_EVERY_MS * (0.5 + Math.random())).unref();
  }

  private async answers(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const limitMs = Math.min(PING_TIMEOUT_MS, this.site.commandTimeoutMs());
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => setImmediate(() => setImmediate(resolve, 'late')), limitMs).unref();
    });
    try {
      if ((await Promise.race([this.link.ping(), late])) !== 'late') return true;
      this.notAnswered();
    } catch (error) {
      // The ping's own time limit may be the shorter one.
      if (isTimeout(error)) this.notAnswered();
      else this.why = (error as Error).message;
    } finally {
      clearTimeout(timer);
    }
    return false;
  }

  private notAnswered(): void {
    this.hung = true;
    this.unanswered += 1;
    if (this.unanswered < PINGS_BEFORE_GIVING_UP) return;
    this.unanswered = 0;
    this.link.giveUp();
  }
}
