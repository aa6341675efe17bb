import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ConsumersConfig } from '../config/consumers.config.js';

const everyMs = 250;

/** Says by name what is under pressure, e.g. `pool`; more of them can be added. */
export type Gauge = () => boolean;

/** Watches heap, event loop and what else is told of, while anybody listens. */
export class Pressure {
  private readonly gauges = new Map<string, Gauge>();
  private readonly listeners = new Set<(name: string, high: boolean) => void>();
  private readonly delay = monitorEventLoopDelay({ resolution: 20 });
  private timer?: NodeJS.Timeout;

  constructor(private readonly config: ConsumersConfig) {
    this.gauges.set('heap', () => {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      return this.config.maxHeapUsed < 1 && used > limit * this.config.maxHeapUsed;
    });
    this.gauges.set('event loop', () => {
      const lateMs = this.delay.max / 1e6;
      this.delay.reset();
      return this.config.maxLoopDelayMs > 0 && lateMs > this.config.maxLoopDelayMs;
    });
  }

  add(name: string, gauge: Gauge): void {
    this.gauges.set(name, gauge);
  }

  /** Calls back with each gauge, whenever they are read. */
  watch(listener: (name: string, high: boolean) => void): () => void {
    this.listeners.add(listener);
    if (!this.timer) {
      this.delay.enable();
      this.timer = setInterval(() => this.read(), everyMs).unref();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
      this.delay.disable();
    };
  }

  private read(): void {
    for (const [name, gauge] of this.gauges) {
      const high = gauge();
      for (const listener of this.listeners) listener(name, high);
    }
  }
}
