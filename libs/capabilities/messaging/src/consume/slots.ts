import type { Pace } from './pace.js';
import type { TimeLimits } from './time-limits.js';

/** Begins an attempt; false when it is needed no more. */
export type Begin = () => boolean;

/** How soon it is looked again whether there is room, in milliseconds. */
const againMs = 10;

/**
 * How many attempts of a handler run at once; what is beyond that waits, in the order in which it came.
 *
 * Keys that fail must not hold up the others, whatever they do, so those that have failed get at most half of the places, and places that are held
 * by attempts which hang are made up for by further ones, as many as are allowed, for keys that have not failed.
 */
export class Slots {
  private running = 0;
  private failing = 0;
  private readonly fresh: Begin[] = [];
  private readonly failed: Begin[] = [];
  /** Whose turn it is where both wait. */
  private isTurnOfFailed = false;
  private readonly mostFailing: number;
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly places: { readonly concurrency: number; readonly overflow: number },
    private readonly limits: Pick<TimeLimits, 'slow'>,
    private readonly pace: Pick<Pace, 'slowMs'>,
    /** Whether what attempts hold has room for one more than the concurrency. */
    private readonly hasRoom: () => boolean = () => true,
  ) {
    this.mostFailing = Math.max(1, Math.floor(places.concurrency / 2));
  }

  /**
   * @param hasFailed whether it is of a key that has failed before; to be given to `release` as well
   * @param begin called once there is a place
   */
  request(hasFailed: boolean, begin: Begin): void {
    if (!hasFailed && this.fresh.length === 0 && this.running < this.places.concurrency) {
      this.begin(false, begin);
      return;
    }
    (hasFailed ? this.failed : this.fresh).push(begin);
    // Nothing may begin before that, unless a place becomes free.
    if (this.timer && this.running >= this.places.concurrency) return;
    this.fill();
  }

  /** An attempt has ended: its place goes to whoever waited for it. */
  release(hasFailed: boolean): void {
    this.running -= 1;
    if (hasFailed) this.failing -= 1;
    this.fill();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.fresh.length = 0;
    this.failed.length = 0;
  }

  private fill(): void {
    for (let isFailed = this.choose(); isFailed !== undefined; isFailed = this.choose())
      this.begin(isFailed, (isFailed ? this.failed : this.fresh).shift()!);
  }

  /** Which of the two may begin now; sees to it that this is asked again when it may be otherwise. */
  private choose(): boolean | undefined {
    const { running, failing, mostFailing, places } = this;
    const isFresh = this.fresh.length > 0;
    if (running < places.concurrency) {
      const isFailed = this.failed.length > 0 && failing < mostFailing;
      if (isFailed && (this.isTurnOfFailed || !isFresh)) return true;
      return isFresh ? false : undefined;
    }
    if (!isFresh || running >= places.concurrency + places.overflow) return undefined;
    const { count, nextInMs } = this.limits.slow(this.pace.slowMs, places.overflow);
    const isDue = running < places.concurrency + count;
    if (isDue && this.hasRoom()) return false;
    const inMs = isDue ? againMs : nextInMs;
    if (inMs !== undefined) this.timer ??= setTimeout(() => this.lookAgain(), inMs + 1).unref();
    return undefined;
  }

  private lookAgain(): void {
    this.timer = undefined;
    this.fill();
  }

  private begin(hasFailed: boolean, begin: Begin): void {
    this.running += 1;
    if (hasFailed) this.failing += 1;
    if (begin()) {
      this.isTurnOfFailed = !hasFailed;
      return;
    }
    this.running -= 1;
    if (hasFailed) this.failing -= 1;
  }
}
