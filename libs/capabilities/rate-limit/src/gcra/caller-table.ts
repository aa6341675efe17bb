import { AgedMap } from './aged-map.js';
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
  private readonly callers = new AgedMap<CallerEntry>();
  private readonly offenders = new AgedMap<CallerEntry>();
  private readonly mostOffenders: number;
  private sweeping = this.callers;

  constructor(private readonly most: number) {
    this.mostOffenders = Math.ceil(most / 4);
  }

  /** How many are kept, never more than `most`. */
  get size(): number {
    return this.callers.size + this.offenders.size;
  }

  get(id: string, now: number): CallerEntry | undefined {
    for (let looked = 0; looked < SWEPT_PER_USE; looked += 1) this.forgetOne(now);
    return this.offenders.get(id) ?? this.callers.get(id);
  }

  put(id: string, entry: CallerEntry): void {
    if (this.offenders.get(id)) this.offenders.set(id, entry);
    else this.callers.set(id, entry);
    this.shrink();
  }

  /** Remembers a refusal. */
  offend(id: string, entry: CallerEntry): void {
    this.callers.delete(id);
    this.offenders.set(id, entry);
    if (this.offenders.size > this.mostOffenders) this.callers.set(...this.offenders.shift()!);
    this.shrink();
  }

  delete(id: string): void {
    this.callers.delete(id);
    this.offenders.delete(id);
  }

  private shrink(): void {
    if (this.size > this.most) (this.callers.size > 0 ? this.callers : this.offenders).shift();
  }

  private forgetOne(now: number): void {
    if (this.sweeping.sweep(({ drainedAt }) => drainedAt <= now)) return;
    this.sweeping = this.sweeping === this.callers ? this.offenders : this.callers;
  }
}
