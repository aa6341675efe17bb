import type { Clock } from '@core-infra/kernel';
import type { OutboxRow } from './outbox-rows.js';

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** What nobody has come back to for so long is another relay's by now. */
const forgottenAfterMs = 60_000;

interface Mark {
  times: number;
  until: number;
}

/** Events that a broker does not take, each with how often it was offered and until when it waits; what is behind one of a key waits with it. */
export class Refusals {
  private readonly byKey = new Map<string, Mark>();
  /** Of events without a key, by their place. */
  private readonly bySeq = new Map<string, Mark>();

  constructor(private readonly clock: Clock) {}

  /** Keys that wait at present, and places of events without one. */
  get waiting(): { readonly keys: readonly string[]; readonly seqs: readonly string[] } {
    const now = this.clock.now();
    const of = (marks: Map<string, Mark>): string[] =>
      [...marks].filter(([, { until }]) => until > now).map(([name]) => name);
    return { keys: of(this.byKey), seqs: of(this.bySeq) };
  }

  /** In how long the next of them is to be offered again, in milliseconds. */
  get nextInMs(): number {
    const now = this.clock.now();
    let soonest = Infinity;
    for (const marks of [this.byKey, this.bySeq])
      for (const [name, { until }] of marks) {
        if (until > now) soonest = Math.min(soonest, until - now);
        else if (until < now - forgottenAfterMs) marks.delete(name);
      }
    return soonest;
  }

  /** Of a key whose first event was refused, that alone is tried: what is behind it may not overtake it. */
  firstOfKeys(rows: readonly OutboxRow[]): readonly OutboxRow[] {
    if (this.byKey.size === 0) return rows;
    const seen = new Set<string>();
    return rows.filter(({ key }) => {
      if (key === undefined || !this.byKey.has(key)) return true;
      const isFirst = !seen.has(key);
      seen.add(key);
      return isFirst;
    });
  }

  /** @returns how often it was refused by now */
  note({ key, seq }: OutboxRow): number {
    const [marks, name] = key === undefined ? [this.bySeq, seq] : [this.byKey, key];
    const times = (marks.get(name)?.times ?? 0) + 1;
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(30, times));
    marks.set(name, { times, until: this.clock.now() + pause });
    return times;
  }

  /** It is published, or dead: its key goes on. */
  forget({ key, seq }: OutboxRow): void {
    if (key === undefined) this.bySeq.delete(seq);
    else this.byKey.delete(key);
  }
}
