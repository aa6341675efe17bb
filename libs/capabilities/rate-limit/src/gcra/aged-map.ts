/** A map that gives up its oldest entry in constant time; an entry that is set again is the youngest. */
export class AgedMap<Value> {
  private readonly entries = new Map<string, Value>();
  /**
   * Stays where it is between calls: a new iterator would each time have to pass the holes that removed entries leave at the front. Whatever
   * it has passed is gone, or was set again and is ahead of it.
   */
  private oldest = this.entries.entries();
  private sweeping = this.entries.entries();

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Value | undefined {
    return this.entries.get(key);
  }

  set(key: string, value: Value): void {
    this.entries.delete(key);
    this.entries.set(key, value);
  }

  delete(key: string): boolean {
    return this.entries.delete(key);
  }

  /** Removes the entry that was set longest ago. */
  shift(): [string, Value] | undefined {
    let next = this.oldest.next();
    if (next.done) {
      this.oldest = this.entries.entries();
      next = this.oldest.next();
    }
    if (next.done) return undefined;
    this.entries.delete(next.value[0]);
    return next.value;
  }

  /** Looks at the next entry in a round through all of them, and removes it when it is as described. @returns false at the end of a round */
  sweep(gone: (value: Value) => boolean): boolean {
    const next = this.sweeping.next();
    if (next.done) this.sweeping = this.entries.entries();
    else if (gone(next.value[1])) this.entries.delete(next.value[0]);
    return !next.done;
  }
}
