import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Check } from '@core-infra/kernel';
import type { EventLoopThresholds } from '../thresholds.config.js';
import { judge, milliseconds } from './threshold.js';

const resolutionMs = 20;

/** Delay of the event loop since the last check; Node samples it by a timer that does not hold the process. */
export function eventLoopCheck(thresholds: EventLoopThresholds): Check {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return () => {
    const delayMs = (nanoseconds: number) =>
      histogram.count === 0 ? 0 : Math.max(0, nanoseconds / 1e6 - resolutionMs);
    const p99Ms = delayMs(histogram.percentile(99));
    const maxMs = delayMs(histogram.max);
    histogram.reset();
    return judge({
      what: 'the delay of the event loop (p99)',
      value: p99Ms,
      degraded: thresholds.degradedMs,
      down: thresholds.downMs,
      print: milliseconds,
      details: { p99Ms: Math.round(p99Ms), maxMs: Math.round(maxMs) },
    });
  };
}
