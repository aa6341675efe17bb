import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Logger } from '@nestjs/common';
import type { ConsumersConfig } from '../config/consumers.config.js';
import { textOf } from './text-of.js';

const everyMs = 250;

/** Whether something is under pressure, e.g. a pool of connections of which all are taken. */
export type Gauge = () => boolean;

/** What the process says of itself. */
export interface Readings {
  /** Part of the heap's limit that is used, from 0 to 1. */
  heapUsed(): number;
  /** How late the event loop was at most since it was last asked, in milliseconds. */
  loopDelayMs(): number;
  /** The event loop is watched from now on, or no more. */
  watch(isWatched: boolean): void;
}

/** Watches heap, event loop and what else is told of, while anybody listens. */
export class Pressure {
  private readonly gauges = new Map<string, Gauge>();
  private readonly listeners = new Set<(name: string, high: boolean) => void>();
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly config: ConsumersConfig,
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly readings: Readings = new ProcessReadings(),
  ) {
    this.gauges.set('heap', () => {
      const { maxHeapUsed } = this.config;
      return maxHeapUsed < 1 && this.readings.heapUsed() > maxHeapUsed;
    });
    this.gauges.set('event loop', () => {
      const { maxLoopDelayMs } = this.config;
      return maxLoopDelayMs > 0 && this.readings.loopDelayMs() > maxLoopDelayMs;
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
      this.readings.watch(true);
      this.timer = setInterval(() => this.read(), everyMs).unref();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
      this.readings.watch(false);
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

class ProcessReadings implements Readings {
  private delay?: ReturnType<typeof monitorEventLoopDelay>;

  heapUsed(): number {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    return used / limit;
  }

  loopDelayMs(): number {
    const lateMs = (this.delay?.max ?? 0) / 1e6;
    this.delay?.reset();
    return lateMs;
  }

  watch(isWatched: boolean): void {
    if (isWatched) (this.delay ??= monitorEventLoopDelay({ resolution: 20 })).enable();
    else this.delay?.disable();
  }
}
