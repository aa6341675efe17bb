import { getHeapStatistics } from 'node:v8';
import type { Check } from '@core-infra/kernel';
import type { HeapThresholds, RssThresholds } from '../thresholds.config.js';
import { judge, megabytes, percent, rounded } from './threshold.js';

/** V8's heap, against the limit at which the process would die. */
export function heapCheck(thresholds: HeapThresholds): Check {
  return () => {
    const { used_heap_size: usedBytes, heap_size_limit: limitBytes } = getHeapStatistics();
    return judge({
      what: 'the heap',
      value: usedBytes / limitBytes,
      degraded: thresholds.degradedRatio,
      down: thresholds.downRatio,
      print: percent,
      details: { usedBytes, limitBytes, usedRatio: rounded(usedBytes / limitBytes) },
    });
  };
}

/** The memory that the operating system gave to the process. */
export function rssCheck(thresholds: RssThresholds): Check {
  return () => {
    const rssBytes = process.memoryUsage.rss();
    return judge({
      what: 'the resident set',
      value: rssBytes,
      degraded: thresholds.degradedBytes,
      down: thresholds.downBytes,
      print: megabytes,
      details: { rssBytes },
    });
  };
}
