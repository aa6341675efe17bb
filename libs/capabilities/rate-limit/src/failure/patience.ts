/** Weight of the latest duration in what is usual, and of its distance from that. */
const WEIGHT = 0.125;
/** So many times the usual distance above the usual duration is still usual, as in TCP's retransmission timer (RFC 6298). */
const DISTANCES = 4;
/** Part of the time-out that an answer may take in any case. */
const LEAST_RATIO = 0.1;

export interface PatienceSite {
  /** Longest wait for an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** A steady clock, in milliseconds. */
  readonly now: () => number;
}

/**
 * Says whether to ask the store, or to decide without it: so that while it hangs only the first few wait, and not everybody until the
 * time-out. An answer is overdue when it takes longer than answers usually do; until one comes, nobody else waits.
 */
export class Patience {
  private readonly underWay = new Set<{ readonly since: number }>();
  private usualMs: number;
  private distanceMs = 0;
  private overdue = false;
  private timer: NodeJS.Timeout | undefined;
  private looksAt = Infinity;

  constructor(private readonly site: PatienceSite) {
    this.usualMs = site.timeoutMs;
  }

  /** Whether a further question is likely to be answered in time. */
  get asks(): boolean {
    return !this.overdue;
  }

  /** From when on an answer is overdue, in milliseconds. */
  get overdueMs(): number {
    const { timeoutMs } = this.site;
    return Math.min(timeoutMs, Math.max(timeoutMs * LEAST_RATIO, this.usualMs + DISTANCES * this.distanceMs));
  }

  /** Called when no question will be asked any more. */
  close(): void {
    clearTimeout(this.timer);
  }

  /** Watches one question. */
  watch<T>(question: () => Promise<T>): Promise<T> {
    const watched = { since: this.site.now() };
    this.underWay.add(watched);
    // An earlier question may have armed the timer when longer answers were usual.
    if (watched.since + this.overdueMs < this.looksAt) this.lookAfter(this.overdueMs);
    return question().then(
      answer => {
        this.learn(this.site.now() - watched.since);
        this.overdue = false;
        this.underWay.delete(watched);
        return answer;
      },
      (error: unknown) => {
        this.underWay.delete(watched);
        if (this.underWay.size === 0) this.overdue = false;
        throw error;
      },
    );
  }

  private learn(ms: number): void {
    this.distanceMs += WEIGHT * (Math.abs(ms - this.usualMs) - this.distanceMs);
    this.usualMs += WEIGHT * (ms - this.usualMs);
  }

  /** Where it was this process that was busy, the answer is there already, and is read in the turns that follow. */
  private lookAfter(ms: number): void {
    clearTimeout(this.timer);
    this.looksAt = this.site.now() + ms;
    this.timer = setTimeout(() => setImmediate(() => setImmediate(() => this.look())), ms).unref();
  }

  private look(): void {
    this.looksAt = Infinity;
    const [oldest] = this.underWay;
    if (!oldest) return;
    const leftMs = this.overdueMs - (this.site.now() - oldest.since);
    if (leftMs <= 0) this.overdue = true;
    this.lookAfter(Math.max(1, leftMs));
  }
}
