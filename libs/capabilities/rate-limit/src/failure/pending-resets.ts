/** Most resets that are kept while the store is away; beyond them the oldest is dropped, and its caller waits as long as the limit says. */
const MOST = 10_000;

/** Resets that could not reach the store, by key: done as soon as it is there again. */
export class PendingResets {
  private keys = new Set<string>();

  add(key: string): void {
    this.keys.add(key);
    if (this.keys.size <= MOST) return;
    for (const oldest of this.keys) {
      this.keys.delete(oldest);
      return;
    }
  }

  /** All of them, which are then no longer kept. */
  take(): string[] {
    const taken = [...this.keys];
    this.keys = new Set();
    return taken;
  }
}
