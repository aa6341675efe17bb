import { readdirSync } from 'node:fs';
import {
  constants,
  monitorEventLoopDelay,
  performance,
  type PerformanceEntry,
  PerformanceObserver,
} from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Metric } from '@core-infra/kernel';
import type { MetricRegistry } from './metric.registry.js';

/** How often the event loop's delay is sampled, in milliseconds. */
const resolutionMs = 20;
const gcBucketsMs = [1, 5, 10, 50, 100, 500, 1_000, 5_000];
const gcKinds = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** What the entry of a garbage collection has besides. */
type Collection = PerformanceEntry & { readonly detail: { readonly kind: number } };

/**
 * What prom-client calls the default metrics, under the same names. Its own cannot be ended: each registry would leave a sampler of the event
 * loop and an observer of the garbage collector behind for as long as the process lives.
 */
export class ProcessMetrics {
  private readonly delay = monitorEventLoopDelay({ resolution: resolutionMs });
  private readonly collections: PerformanceObserver;

  constructor(registry: MetricRegistry) {
    const pauses = registry.histogram(
      'nodejs_gc_duration_seconds',
      'How long garbage collections took.',
      ['kind'],
      gcBucketsMs,
    );
    this.collections = new PerformanceObserver(list => {
      for (const { duration, detail } of list.getEntries() as Collection[])
        pauses.of(gcKinds.get(detail.kind) ?? 'other')(duration);
    });
  }

  start(): void {
    this.delay.enable();
    this.collections.observe({ entryTypes: ['gc'] });
  }

  stop(): void {
    this.delay.disable();
    this.collections.disconnect();
  }

  read(): readonly Metric[] {
    const memory = process.memoryUsage();
    const cpu = process.cpuUsage();
    const descriptors = openDescriptors();
    return [
      counter('process_cpu_user_seconds_total', 'CPU time spent in the program.', cpu.user / 1e6),
      counter('process_cpu_system_seconds_total', 'CPU time spent in the kernel for the program.', cpu.system / 1e6),
      counter('process_cpu_seconds_total', 'CPU time of the process.', (cpu.user + cpu.system) / 1e6),
      gauge('process_start_time_seconds', 'When the process began, since 1970.', performance.timeOrigin / 1_000),
      gauge('process_resident_memory_bytes', 'Memory that the process holds.', memory.rss),
      gauge('nodejs_heap_size_total_bytes', 'Size of V8’s heap.', memory.heapTotal),
      gauge('nodejs_heap_size_used_bytes', 'What is in use of V8’s heap.', memory.heapUsed),
      gauge('nodejs_external_memory_bytes', 'Memory outside of V8’s heap that objects in it hold.', memory.external),
      heapSpaces('nodejs_heap_space_size_total_bytes', 'Size of each space of the heap.', 'space_size'),
      heapSpaces('nodejs_heap_space_size_used_bytes', 'What is in use of each space.', 'space_used_size'),
      heapSpaces('nodejs_heap_space_size_available_bytes', 'What is free in each space.', 'space_available_size'),
      resources(),
      ...(descriptors === undefined
        ? []
        : [gauge('process_open_fds', 'File descriptors that are open, sockets among them.', descriptors)]),
      version(),
      ...this.eventLoop(),
    ];
  }

  /** Since the last reading: a peak is seen once. */
  private eventLoop(): readonly Metric[] {
    const { delay } = this;
    const busy = performance.eventLoopUtilization();
    const seconds = (nanoseconds: number): number => (delay.count === 0 ? 0 : nanoseconds / 1e9);
    const metrics = [
      gauge('nodejs_eventloop_lag_min_seconds', 'Least delay of the event loop.', seconds(delay.min)),
      gauge('nodejs_eventloop_lag_max_seconds', 'Greatest delay of the event loop.', seconds(delay.max)),
      gauge('nodejs_eventloop_lag_mean_seconds', 'Mean delay of the event loop.', seconds(delay.mean)),
      gauge('nodejs_eventloop_lag_stddev_seconds', 'Spread of the delay.', seconds(delay.stddev)),
      gauge('nodejs_eventloop_lag_p50_seconds', 'Median delay.', seconds(delay.percentile(50))),
      gauge('nodejs_eventloop_lag_p90_seconds', '90th percentile of the delay.', seconds(delay.percentile(90))),
      gauge('nodejs_eventloop_lag_p99_seconds', '99th percentile of the delay.', seconds(delay.percentile(99))),
      counter('nodejs_eventloop_active_seconds_total', 'How long the event loop was busy.', busy.active / 1_000),
    ];
    delay.reset();
    return metrics;
  }
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, samples: [{ value }] };
}

function counter(name: string, help: string, value: number): Metric {
  return { name, help, type: 'counter', samples: [{ value }] };
}

function heapSpaces(
  name: string,
  help: string,
  field: 'space_size' | 'space_used_size' | 'space_available_size',
): Metric {
  const samples = getHeapSpaceStatistics().map(space => ({
    labels: { space: space.space_name.replace(/_space$/, '') },
    value: space[field],
  }));
  return { name, help, samples };
}

function resources(): Metric {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return {
    name: 'nodejs_active_resources',
    help: 'What keeps the event loop alive, by its type.',
    samples: [...counts].map(([type, value]) => ({ labels: { type }, value })),
  };
}

/** Where the system tells, as Linux does. */
function openDescriptors(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined; // hidden from this process
  }
}

function version(): Metric {
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.');
  return {
    name: 'nodejs_version_info',
    help: 'Version of Node.',
    samples: [{ labels: { version: process.version, major, minor, patch }, value: 1 }],
  };
}
