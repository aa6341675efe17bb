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

  async wait(ms: number): Promise<void> {
    if (this.ended) return;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms).unref();
      this.resolve = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.resolve = undefined;
  }
}
