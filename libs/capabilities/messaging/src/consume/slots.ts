/** How many attempts of a handler run at once; what is beyond that waits, in the order in which it came. */
export class Slots {
  private running = 0;
  private readonly waiting: (() => boolean)[] = [];

  constructor(private readonly limit: number) {}

  /** @param begin begins an attempt, once there is a place; returns false when it is needed no more */
  request(begin: () => boolean): void {
    if (this.running >= this.limit) this.waiting.push(begin);
    else {
      this.running += 1;
      if (!begin()) this.release();
    }
  }

  /** An attempt has ended: its place goes to whoever waited for it. */
  release(): void {
    for (let begin = this.waiting.shift(); begin; begin = this.waiting.shift()) if (begin()) return;
    this.running -= 1;
  }
}
