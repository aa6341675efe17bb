interface Watched<T> {
  readonly all: Set<T>;
  readonly abort: () => void;
}

/** Tells of each thing whose signal aborts, with one listener for all things of a signal, which may be thousands. */
export class AbortWatch<T> {
  private readonly watched = new Map<AbortSignal, Watched<T>>();

  constructor(private readonly aborted: (each: T, reason: unknown) => void) {}

  watch(each: T, signal: AbortSignal): void {
    let watched = this.watched.get(signal);
    if (!watched) {
      const all = new Set<T>();
      const abort = (): void => {
        for (const one of all) this.aborted(one, signal.reason);
      };
      this.watched.set(signal, (watched = { all, abort }));
      signal.addEventListener('abort', abort, { once: true });
    }
    watched.all.add(each);
  }

  unwatch(each: T, signal: AbortSignal): void {
    const watched = this.watched.get(signal);
    if (!watched?.all.delete(each) || watched.all.size > 0) return;
    this.watched.delete(signal);
    signal.removeEventListener('abort', watched.abort);
  }
}
