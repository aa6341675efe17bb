import { HandlerTimeoutError } from '../errors.js';
import type { Handler } from '../handlers/handler.js';
import type { Limit } from './limit.js';

/** Ends attempts of a handler that take too long, with one timer for all of them: whichever began first is over first. */
export class TimeLimits {
  // A row of the limits themselves: a Map is made anew every few attempts, and kept half of what they had used until the next full collection.
  private first?: Limit;
  private last?: Limit;
  private timer?: NodeJS.Timeout;

  constructor(private readonly handler: Handler) {}

  begin(limit: Limit): void {
    const { timeoutMs } = this.handler;
    limit.beganAt = performance.now();
    limit.before = this.last;
    if (this.last) this.last.after = limit;
    else this.first = limit;
    this.last = limit;
    if (!this.timer) this.wait(timeoutMs);
  }

  /** What has ended already may be ended again. */
  end(limit: Limit): void {
    const { before, after } = limit;
    if (before) before.after = after;
    else if (this.first === limit) this.first = after;
    else return;
    if (after) after.before = before;
    else this.last = before;
    limit.before = undefined;
    limit.after = undefined;
  }

  /**
   * How many of those under way run for longer than so many milliseconds, counted up to `most`; and in how many another one will, if one will.
   */
  slow(slowMs: number, most: number): { readonly count: number; readonly nextInMs?: number } {
    const now = performance.now();
    let count = 0;
    for (let limit = this.first; limit && count < most; limit = limit.after) {
      const leftMs = limit.beganAt + slowMs - now;
      if (leftMs > 0) return { count, nextInMs: leftMs };
      count += 1;
    }
    return { count };
  }

  /** No attempt is waited for any more. */
  stop(): void {
    clearTimeout(this.timer);
    while (this.first) this.end(this.first);
  }

  private wait(delayMs: number): void {
    this.timer = setTimeout(() => this.look(), delayMs).unref();
  }

  /** The timer stays set till its end: what begins meanwhile is due later than those before it. */
  private look(): void {
    const now = performance.now();
    const { type, group, timeoutMs } = this.handler;
    for (let limit = this.first; limit && limit.beganAt + timeoutMs <= now; limit = this.first) {
      this.end(limit);
      limit.abort(new HandlerTimeoutError(`The handler of "${type}" in the group "${group}"`, timeoutMs));
    }
    this.timer = undefined;
    if (this.first) this.wait(Math.max(1, Math.ceil(this.first.beganAt + timeoutMs - now)));
  }
}
