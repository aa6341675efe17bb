/** How many are remembered of each of the two halves. */
const HALF = 50_000;

/**
 * Messages that were settled, as far as the server may not know it; by number, with its time, as a stream that is made anew counts from 1 again. In two
 * halves, of which the older one is forgotten at once: a map whose first entry is taken out over and over looks through all that were there before.
 */
export class Settled {
  private recent = new Map<number, number>();
  private older: ReadonlyMap<number, number> = new Map();

  has(sequence: number, time: number): boolean {
    return this.recent.get(sequence) === time || this.older.get(sequence) === time;
  }

  add(sequence: number, time: number): void {
    this.recent.set(sequence, time);
    if (this.recent.size < HALF) return;
    this.older = this.recent;
    this.recent = new Map();
  }
}
