import type { Decision } from '../rate-limiter.js';
import { CallerTable } from './caller-table.js';
import { decided } from './decision.js';
import { drain, drainMs, fill, levelsAt, waitMs } from './gcra.js';
import type { CheckedRule } from './limit-rule.js';

/** What a store says of one request. */
export interface StoreAnswer {
  /** 0 when it was let pass, and its cost taken. */
  readonly waitMs: number;
  /** How full each window is after it; the limits keep them, and count on in them. */
  readonly levels: number[];
}

/**
 * Limits within this process: the whole of the memory driver; beside a store, what is decided by while that is away, and what is
 * remembered of its answers. Times are of one steady clock, in milliseconds.
 */
export class ProcessLimits {
  private readonly table: CallerTable;

  constructor(mostCallers: number) {
    this.table = new CallerTable(mostCallers);
  }

  get callers(): number {
    return this.table.size;
  }

  consume(rule: CheckedRule, caller: string, cost: number, now: number, by: 'memory' | 'local'): Decision {
    const at = Math.floor(now);
    const known = this.table.get(rule, caller, at);
    if (known) drain(rule.windows, known, at);
    const levels = known?.levels ?? rule.unused;
    const wait = waitMs(rule.windows, levels, cost || 1);
    if (wait > 0) {
      if (known && wait !== Infinity) this.table.offend(known);
      return decided(rule, levels, wait, by);
    }
    if (cost === 0) return decided(rule, levels, 0, by);
    const entry = known ?? this.table.add(rule, caller);
    entry.at = at;
    entry.drainedAt = at + fill(rule.windows, entry.levels, cost);
    entry.confirmedUntil = 0;
    if (known) this.table.renew(entry);
    return decided(rule, entry.levels, 0, by);
  }

  /**
   * Keeps what the store answered: so that a refusal can be repeated, and so that a caller has no fresh start when the store goes away.
   * @param sentAt when it was asked: other processes may have filled the windows further since then, nobody has drained them faster
   * @param confirmedUntil until when refusals are repeated by it
   */
  adopt(
    rule: CheckedRule,
    caller: string,
    { waitMs: wait, levels }: StoreAnswer,
    sentAt: number,
    confirmedUntil: number,
  ): void {
    const at = Math.floor(sentAt);
    const entry = this.table.get(rule, caller, at) ?? this.table.add(rule, caller);
    entry.at = at;
    entry.levels = levels;
    entry.drainedAt = at + drainMs(rule.windows, levels);
    entry.confirmedUntil = confirmedUntil;
    if (wait > 0) this.table.offend(entry);
    else this.table.renew(entry);
  }

  /** A refusal, when by what the store said not long ago it cannot but refuse. */
  remembered(rule: CheckedRule, caller: string, cost: number, now: number): Decision | undefined {
    const at = Math.ceil(now);
    const known = this.table.get(rule, caller, at);
    if (!known || known.confirmedUntil <= now) return undefined;
    const levels = levelsAt(rule.windows, known, at);
    const wait = waitMs(rule.windows, levels, cost);
    return wait > 0 ? decided(rule, levels, wait, 'remembered') : undefined;
  }

  forget(rule: CheckedRule, caller: string): void {
    this.table.forget(rule, caller);
  }
}
