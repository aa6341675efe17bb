/** A wait that can be ended, also just before it begins. */
export class Pause {
  private ended = false;
  private resolve?: () => void;

  /** What is told from now on ends the next wait. */
  begin(): void {
    this.ended = false;
  }

  end(): void {
    this.ended = true;
    this.resolve?.();
  }

  /** Returns whether it was ended before its time. */
  async wait(ms: number): Promise<boolean> {
    if (this.ended) return true;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms).unref();
      this.resolve = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.resolve = undefined;
    return this.ended;
  }
}
