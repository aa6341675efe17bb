import type { Usage } from './gcra.js';

/** What is kept of a caller under one rule. */
export interface CallerEntry extends Usage {
  /** When nothing is left to remember. */
  readonly drainedAt: number;
  /** Until when these levels stand for the store's own, as far as refusals go; 0 when this process counted by itself. */
  readonly confirmedUntil: number;
}

/** How many entries each use of the table looks at, to forget those that have drained: more than one use can add. */
const SWEPT_PER_USE = 2;

/**
 * Callers in bounded memory. Whoever was refused moves to a part of the table of their own, a quarter of it, so that a flood of new callers
 * does not push offenders out and give them a fresh start: for that, as many others have to use up their own limits.
 * In each part, the one not seen for longest goes first. Entries that have drained are forgotten as the table is used, without a timer.
 */
export class CallerTable {
  private readonly callers = new Map<string, CallerEntry>();
  private readonly offenders = new Map<string, CallerEntry>();
  private readonly mostOffenders: number;
  private sweep: Iterator<[string, CallerEntry]> = this.callers.entries();
  private sweeping: Map<string, CallerEntry> = this.callers;

  constructor(private readonly most: number) {
    this.mostOffenders = Math.ceil(most / 4);
  }

  /** How many are kept, never more than `most`. */
  get size(): number {
    return this.callers.size + this.offenders.size;
  }

  get(id: string, now: number): CallerEntry | undefined {
    this.forgetDrained(now);
    return this.offenders.get(id) ?? this.callers.get(id);
  }

  put(id: string, entry: CallerEntry): void {
    const offends = this.offenders.delete(id);
    this.callers.delete(id);
    (offends ? this.offenders : this.callers).set(id, entry);
    while (this.size > this.most) this.dropOldest(this.callers.size > 0 ? this.callers : this.offenders);
  }

  /** Remembers a refusal. */
  offend(id: string, entry: CallerEntry): void {
    this.callers.delete(id);
    this.offenders.delete(id);
    this.offenders.set(id, entry);
    if (this.offenders.size > this.mostOffenders) {
      const [[oldest, former]] = this.offenders as Iterable<[string, CallerEntry]> as [[string, CallerEntry]];
      this.offenders.delete(oldest);
      this.callers.set(oldest, former);
    }
    while (this.size > this.most) this.dropOldest(this.callers.size > 0 ? this.callers : this.offenders);
  }

  delete(id: string): void {
    this.callers.delete(id);
    this.offenders.delete(id);
  }

  private dropOldest(part: Map<string, CallerEntry>): void {
    for (const id of part.keys()) {
      part.delete(id);
      return;
    }
  }

  private forgetDrained(now: number): void {
    for (let looked = 0; looked < SWEPT_PER_USE; looked += 1) {
      const { done, value } = this.sweep.next();
      if (done) {
        this.sweeping = this.sweeping === this.callers ? this.offenders : this.callers;
        this.sweep = this.sweeping.entries();
        return;
      }
      if (value[1].drainedAt <= now) this.sweeping.delete(value[0]);
    }
  }
}
