const leastSlowMs = 25;
const times = 4;
const up = 1.5;
/** Nine shorter ones outweigh one that is longer: what is followed is the time within which nine of ten end. */
const down = up ** (-1 / 9);

/** How long a handler takes when all is well, to tell attempts that hang by it. Follows ten lasting attempts, not one. */
export class Pace {
  private usualMs = leastSlowMs / times;

  /** An attempt has succeeded. */
  note(durationMs: number): void {
    if (durationMs > this.usualMs) this.usualMs *= up;
    else if (this.usualMs > leastSlowMs / times) this.usualMs *= down;
  }

  /** An attempt that runs for longer counts as slow. */
  get slowMs(): number {
    return Math.max(leastSlowMs, this.usualMs * times);
  }
}
