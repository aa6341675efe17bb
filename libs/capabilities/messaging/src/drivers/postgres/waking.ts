import { type DataSource, type Listening, listenTo } from '@core-infra/database';
import type { Clock } from '@core-infra/kernel';
import { channelOf } from './queues.js';

/** What consumers hear of their queues. */
export interface Sleeper {
  readonly queues: ReadonlySet<string>;
  /** There is something to fetch. */
  wake(): void;
  /** Members have come or gone, or partitions were given up. */
  regroup(): void;
}

/** A scheduled message further away than this is found by who looks then. */
const longestTimerMs = 600_000;

/** Tells consumers of this process that there is something to do: by NOTIFY, by timers for what is due later, and by what is published here. */
export class Waking {
  private readonly sleepers = new Set<Sleeper>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private listening?: Listening;

  constructor(private readonly clock: Clock) {}

  get isListening(): boolean {
    return this.listening?.isListening ?? false;
  }

  listen(dataSource: DataSource, schema: string, lost: (error: Error) => void): void {
    this.listening ??= listenTo(dataSource, channelOf(schema), {
      notified: payload => this.heard(payload),
      listening: () => {
        for (const sleeper of this.sleepers) sleeper.regroup();
      },
      lost,
    });
  }

  add(sleeper: Sleeper): void {
    this.sleepers.add(sleeper);
  }

  remove(sleeper: Sleeper): void {
    this.sleepers.delete(sleeper);
  }

  /** Something was put into the queue, due at once or later. */
  stirred(queue: string, due: number | null): void {
    const concerned = [...this.sleepers].filter(({ queues }) => queues.has(queue));
    if (concerned.length === 0) return;
    const delay = (due ?? 0) - this.clock.now();
    if (delay <= 0) for (const sleeper of concerned) sleeper.wake();
    else if (delay <= longestTimerMs) this.later(queue, due!, delay);
  }

  async close(): Promise<void> {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    const { listening } = this;
    this.listening = undefined;
    await listening?.close();
  }

  private heard(payload: string): void {
    const [queue = '', what = ''] = payload.split(' ');
    if (what !== 'members') return this.stirred(queue, what === '' ? null : Number(what));
    for (const sleeper of this.sleepers) if (sleeper.queues.has(queue)) sleeper.regroup();
  }

  /** One timer for each millisecond and queue in which something is due. */
  private later(queue: string, due: number, delay: number): void {
    const name = `${queue} ${Math.ceil(due)}`;
    if (this.timers.has(name) || this.timers.size >= 10_000) return;
    const timer = setTimeout(() => {
      this.timers.delete(name);
      this.stirred(queue, null);
    }, delay + 1).unref();
    this.timers.set(name, timer);
  }
}
