/** What stands in a list refers to its neighbours itself: to move it costs neither a look-up nor memory. */
export interface Aged<Entry> {
  older: Entry | undefined;
  younger: Entry | undefined;
}

/** Entries by when they were last added, each of them in one list at most. */
export class AgedList<Entry extends Aged<Entry>> {
  private first: Entry | undefined;
  private last: Entry | undefined;
  private sweeping: Entry | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get oldest(): Entry | undefined {
    return this.first;
  }

  /** Adds an entry that is in no list, as the youngest. */
  add(entry: Entry): void {
    entry.older = this.last;
    if (this.last) this.last.younger = entry;
    else this.first = entry;
    this.last = entry;
    this.count += 1;
  }

  /** Takes out an entry of this list. */
  remove(entry: Entry): void {
    const { older, younger } = entry;
    if (this.sweeping === entry) this.sweeping = younger;
    if (older) older.younger = younger;
    else this.first = younger;
    if (younger) younger.older = older;
    else this.last = older;
    entry.older = entry.younger = undefined;
    this.count -= 1;
  }

  /** Makes an entry of this list its youngest. */
  renew(entry: Entry): void {
    if (entry === this.last) return;
    this.remove(entry);
    this.add(entry);
  }

  /** The next entry in a round through all of them, `undefined` at its end. */
  sweep(): Entry | undefined {
    const entry = this.sweeping;
    this.sweeping = entry ? entry.younger : this.first;
    return entry;
  }
}
