import { type Aged, AgedList } from './aged-list.js';
import type { Usage } from './gcra.js';
import type { CheckedRule } from './limit-rule.js';

/** What is kept of a caller under one rule: one object for as long as it is kept, so that a request makes none. */
export class CallerEntry implements Usage, Aged<CallerEntry> {
  at = 0;
  /** When nothing is left to remember. */
  drainedAt = 0;
  /** Until when these levels stand for the store's own, as far as refusals go; 0 when this process counted by itself. */
  confirmedUntil = 0;
  older: CallerEntry | undefined = undefined;
  younger: CallerEntry | undefined = undefined;

  constructor(
    readonly rule: string,
    readonly caller: string,
    public list: AgedList<CallerEntry>,
    public levels: number[],
  ) {}
}

/** How many entries each use of the table looks at, to forget those that have drained: more than one use can add. */
const SWEPT_PER_USE = 2;

/**
 * Callers in bounded memory. Whoever was refused moves to a part of the table of their own, a quarter of it, so that a flood of new callers
 * does not push offenders out and give them a fresh start: for that, as many others have to use up their own limits.
 * In each part, the one not seen for longest goes first. Entries that have drained are forgotten as the table is used, without a timer.
 */
export class CallerTable {
  /** By rule, then by caller: to put the two into one key would cost more than the second look-up. */
  private readonly rules = new Map<string, Map<string, CallerEntry>>();
  private readonly callers = new AgedList<CallerEntry>();
  private readonly offenders = new AgedList<CallerEntry>();
  private readonly mostOffenders: number;
  private sweeping = this.callers;

  constructor(private readonly most: number) {
    this.mostOffenders = Math.ceil(most / 4);
  }

  /** How many are kept, never more than `most`. */
  get size(): number {
    return this.callers.size + this.offenders.size;
  }

  get({ id }: CheckedRule, caller: string, now: number): CallerEntry | undefined {
    for (let looked = 0; looked < SWEPT_PER_USE; looked += 1) this.forgetOne(now);
    return this.rules.get(id)?.get(caller);
  }

  /** An entry for a caller of whom nothing is kept. */
  add({ id, unused }: CheckedRule, caller: string): CallerEntry {
    let callers = this.rules.get(id);
    if (!callers) this.rules.set(id, (callers = new Map()));
    const entry = new CallerEntry(id, caller, this.callers, unused.slice());
    callers.set(caller, entry);
    this.callers.add(entry);
    if (this.size > this.most) this.remove(this.callers.oldest!);
    return entry;
  }

  /** Has it stay longer than all that are there. */
  renew(entry: CallerEntry): void {
    entry.list.renew(entry);
  }

  /** Remembers a refusal. */
  offend(entry: CallerEntry): void {
    if (entry.list === this.offenders) return this.offenders.renew(entry);
    this.move(entry, this.offenders);
    if (this.offenders.size > this.mostOffenders) this.move(this.offenders.oldest!, this.callers);
  }

  forget({ id }: CheckedRule, caller: string): void {
    const entry = this.rules.get(id)?.get(caller);
    if (entry) this.remove(entry);
  }

  private move(entry: CallerEntry, to: AgedList<CallerEntry>): void {
    entry.list.remove(entry);
    entry.list = to;
    to.add(entry);
  }

  private remove(entry: CallerEntry): void {
    entry.list.remove(entry);
    const callers = this.rules.get(entry.rule)!;
    callers.delete(entry.caller);
    if (callers.size === 0) this.rules.delete(entry.rule);
  }

  private forgetOne(now: number): void {
    const entry = this.sweeping.sweep();
    if (!entry) this.sweeping = this.sweeping === this.callers ? this.offenders : this.callers;
    else if (entry.drainedAt <= now) this.remove(entry);
  }
}
