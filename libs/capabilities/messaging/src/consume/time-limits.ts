import { HandlerTimeoutError } from '../errors.js';
import type { Handler } from '../handlers/handler.js';
import type { Limit } from './limit.js';

/** Ends attempts of a handler that take too long, with one timer for all of them: whichever began first is over first. */
export class TimeLimits {
  private readonly dueAt = new Map<Limit, number>();
  private timer?: NodeJS.Timeout;

  constructor(private readonly handler: Handler) {}

  begin(limit: Limit): void {
    const { timeoutMs } = this.handler;
    this.dueAt.set(limit, performance.now() + timeoutMs);
    if (!this.timer) this.wait(timeoutMs);
  }

  end(limit: Limit): void {
    this.dueAt.delete(limit);
  }

  /** No attempt is waited for any more. */
  stop(): void {
    clearTimeout(this.timer);
    this.dueAt.clear();
  }

  private wait(delayMs: number): void {
    this.timer = setTimeout(() => this.look(), delayMs).unref();
  }

  private look(): void {
    this.timer = undefined;
    const now = performance.now();
    const { type, group, timeoutMs } = this.handler;
    for (const [limit, dueAt] of this.dueAt) {
      if (dueAt > now) return this.wait(Math.ceil(dueAt - now));
      this.dueAt.delete(limit);
      limit.abort(new HandlerTimeoutError(`The handler of "${type}" in the group "${group}"`, timeoutMs));
    }
  }
}
