/** Who waits for another process's load of a key. */
export class Waiters {
  private readonly byKey = new Map<string, Set<() => void>>();

  wake(full: string): void {
    for (const go of this.byKey.get(full) ?? []) go();
  }

  wakeAll(): void {
    for (const full of this.byKey.keys()) this.wake(full);
  }

  /** Resolves when the key was heard of, after `atMostMs` milliseconds, or when the signal aborts. */
  async wait(full: string, atMostMs: number, signal: AbortSignal): Promise<void> {
    let wake!: () => void;
    const woken = new Promise<void>(done => (wake = done));
    const timer = setTimeout(wake, atMostMs);
    const waiting = this.byKey.get(full) ?? new Set();
    this.byKey.set(full, waiting.add(wake));
    signal.addEventListener('abort', wake, { once: true });
    try {
      await woken;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      waiting.delete(wake);
      if (waiting.size === 0) this.byKey.delete(full);
    }
  }
}
