/** A sleep that can be ended, and that does not begin when somebody called meanwhile. */
export class WakeUp {
  private called = false;
  private ended = false;
  private resume?: () => void;
  private stop?: () => void;

  /** Ends the sleep, or keeps the next from beginning. */
  now(): void {
    this.called = true;
    this.resume?.();
  }

  /** Ends every sleep from now on. */
  end(): void {
    this.ended = true;
    this.stop?.();
  }

  /** What was called for until now is being seen to. */
  heard(): void {
    this.called = false;
  }

  /** Sleeps until called, at most so long. */
  async wait(ms: number): Promise<void> {
    if (!this.called) await this.sleep(ms, true);
    this.called = false;
  }

  /** Sleeps so long, called or not. */
  pause(ms: number): Promise<void> {
    return this.sleep(ms, false);
  }

  private sleep(ms: number, isEndedByCall: boolean): Promise<void> {
    if (this.ended) return Promise.resolve();
    return new Promise(resolve => {
      const timer = setTimeout(end, Math.min(ms, 2_147_483_647));
      function end(): void {
        clearTimeout(timer);
        resolve();
      }
      this.stop = end;
      this.resume = isEndedByCall ? end : undefined;
    });
  }
}
