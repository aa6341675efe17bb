import type { Decision } from '../rate-limiter.js';
import { CallerTable } from './caller-table.js';
import { decided } from './decision.js';
import { drainMs, filled, levelsAt, waitMs } from './gcra.js';
import type { CheckedRule } from './limit-rule.js';

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
    const id = idOf(rule, caller);
    const known = this.table.get(id, at);
    const levels = levelsAt(rule.windows, known, at);
    const wait = waitMs(rule.windows, levels, cost || 1);
    if (wait > 0) {
      if (known && wait !== Infinity) this.table.offend(id, known);
      return decided(rule, levels, wait, by);
    }
    if (cost === 0) return decided(rule, levels, 0, by);
    const now_ = filled(rule.windows, levels, cost);
    this.table.put(id, { at, levels: now_, drainedAt: at + drainMs(rule.windows, now_), confirmedUntil: 0 });
    return decided(rule, now_, 0, by);
  }

  forget(rule: CheckedRule, caller: string): void {
    this.table.delete(idOf(rule, caller));
  }
}

/** A caller's id has no line break. */
function idOf(rule: CheckedRule, caller: string): string {
  return `${rule.id}\n${caller}`;
}
