import { Injectable } from '@nestjs/common';

export type AppPhase = 'starting' | 'running' | 'draining' | 'closed';

/** Where the process is in its life. Health reads it, the shutdown writes it. */
@Injectable()
export class AppState {
  private readonly shutdown = new AbortController();
  private current: AppPhase = 'starting';
  private until = Number.POSITIVE_INFINITY;

  get phase(): AppPhase {
    return this.current;
  }

  /** Aborts when the shutdown begins: background loops stop on it. */
  get shuttingDown(): AbortSignal {
    return this.shutdown.signal;
  }

  /** What is left of the shutdown's deadline, in milliseconds; infinite while there is none. */
  remainingMs(now: number): number {
    return Math.max(0, this.until - now);
  }

  markRunning(): void {
    if (this.current === 'starting') this.current = 'running';
  }

  /**
   * Readiness falls from here on. Calling it again changes nothing.
   * @param deadline when the whole shutdown must be over, on the monotonic clock, in milliseconds
   */
  beginShutdown(deadline = Number.POSITIVE_INFINITY): void {
    if (this.shutdown.signal.aborted) return;
    this.current = 'draining';
    this.until = deadline;
    this.shutdown.abort();
  }

  markClosed(): void {
    this.current = 'closed';
  }
}
