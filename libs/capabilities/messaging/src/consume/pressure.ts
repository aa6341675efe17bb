import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Logger } from '@nestjs/common';
import type { ConsumersConfig } from '../config/consumers.config.js';
import { textOf } from './text-of.js';

const everyMs = 250;

/** Whether something is under pressure, e.g. a pool of connections of which all are taken. */
export type Gauge = () => boolean;

/** Watches heap, event loop and what else is told of, while anybody listens. */
export class Pressure {
  private readonly gauges = new Map<string, Gauge>();
  private readonly listeners = new Set<(name: string, high: boolean) => void>();
  private delay?: ReturnType<typeof monitorEventLoopDelay>;
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly config: ConsumersConfig,
    private readonly logger: Pick<Logger, 'warn'>,
  ) {
    this.gauges.set('heap', () => {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      return this.config.maxHeapUsed < 1 && used > limit * this.config.maxHeapUsed;
    });
    this.gauges.set('event loop', () => {
      const lateMs = (this.delay?.max ?? 0) / 1e6;
      this.delay?.reset();
      return this.config.maxLoopDelayMs > 0 && lateMs > this.config.maxLoopDelayMs;
    });
  }

  /** @returns takes it away again */
  add(name: string, gauge: Gauge): () => void {
    this.gauges.set(name, gauge);
    return () => {
      this.gauges.delete(name);
      for (const listener of this.listeners) listener(name, false);
    };
  }

  /** Calls back with each gauge, whenever they are read. */
  watch(listener: (name: string, high: boolean) => void): () => void {
    this.listeners.add(listener);
    if (!this.timer) {
      this.delay ??= monitorEventLoopDelay({ resolution: 20 });
      this.delay.enable();
      this.timer = setInterval(() => this.read(), everyMs).unref();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
      this.delay?.disable();
    };
  }

  private read(): void {
    for (const [name, gauge] of this.gauges) {
      let high = false;
      try {
        high = gauge();
      } catch (error) {
        // One that cannot be read holds nobody up.
        this.gauges.delete(name);
        this.logger.warn(`The gauge "${name}" cannot be read, and is read no more: ${textOf(error)}`);
      }
      for (const listener of this.listeners) listener(name, high);
    }
  }
}
