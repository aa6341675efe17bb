/** What ends an attempt before its handler does. The signal is made when it is first read: what no handler reads costs nothing. */
export class Limit {
  private controller?: AbortController;
  private isOver = false;
  private reason: unknown;
  /** When the attempt began, by `performance.now()`; kept in a row with others by {@link TimeLimits}. */
  beganAt = 0;
  before: Limit | undefined = undefined;
  after: Limit | undefined = undefined;
  /** Called once, when the attempt must end; unset when it has, as others may know of this for longer and must not keep its messages. */
  onAbort?: ((reason: unknown) => void) | undefined;

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.isOver) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  abort(reason: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.reason = reason;
    this.controller?.abort(reason);
    this.onAbort?.(reason);
  }
}
