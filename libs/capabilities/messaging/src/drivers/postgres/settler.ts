import { setTimeout as delay } from 'node:timers/promises';

const atOnce = 1_000;
const longestPauseMs = 2_000;

/** Removes jobs that are done, many in one statement; while the database is away, it goes on trying. */
export class Settler {
  private done = new Map<string, string[]>();
  /** Are being removed. */
  private underWay: readonly string[] = [];
  private running?: Promise<void>;
  private ended = false;

  constructor(private readonly remove: (queue: string, ids: string[]) => Promise<void>) {}

  add(queue: string, id: string): void {
    const ids = this.done.get(queue);
    if (ids) ids.push(id);
    else this.done.set(queue, [id]);
    this.running ??= this.run();
  }

  /** What is done, and may still be in the table. */
  get pending(): readonly string[] {
    return [...this.underWay, ...[...this.done.values()].flat()];
  }

  /** Resolves when nothing is left to remove, or the signal aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    while (this.running && !signal.aborted)
      await Promise.race([
        this.running,
        new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true })),
      ]);
  }

  /** Nothing is tried any more. */
  end(): void {
    this.ended = true;
  }

  private async run(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve));
    for (let failures = 0; this.done.size > 0 && !this.ended;) {
      const [queue, all] = this.done.entries().next().value!;
      const ids = all.splice(0, atOnce);
      if (all.length === 0) this.done.delete(queue);
      this.underWay = ids;
      try {
        await this.remove(queue, ids);
        this.underWay = [];
        failures = 0;
      } catch {
        // They stay claimed, and the lease of this member says until when: nobody else gets them meanwhile.
        const rest = this.done.get(queue);
        this.done.set(queue, rest ? [...ids, ...rest] : ids);
        this.underWay = [];
        await delay(Math.min(longestPauseMs, 50 * 2 ** failures++), undefined, { ref: false });
      }
    }
    this.running = undefined;
  }
}
