import { Counter, Gauge, Histogram, type Metric as PromMetric, Registry } from 'prom-client';
import type { Metric } from '@core-infra/kernel';
import { BoundedLabels } from './bounded.labels.js';

/** Counts under one set of labels. */
export type Count = (by?: number) => void;
/** Takes note of a duration under one set of labels, in milliseconds. */
export type Time = (durationMs: number) => void;

export interface Exposition {
  readonly type: string;
  readonly body: string;
}

/** The metrics of one application. prom-client's global registry is left alone. */
export class MetricRegistry {
  private readonly metrics = new Map<string, PromMetric>();

  constructor(
    private readonly maxSeries: number,
    private readonly bucketsMs: readonly number[],
  ) {}

  counter<Name extends string>(name: string, help: string, labelNames: readonly Name[]): BoundedLabels<Name, Count> {
    const counter = this.added(name, new Counter({ name, help, labelNames, registers: [] }));
    return new BoundedLabels(labelNames, this.maxSeries, labels => {
      const child = counter.labels(labels);
      return by => child.inc(by);
    });
  }

  /** Of durations: its name ends in `_seconds`. */
  histogram<Name extends string>(
    name: string,
    help: string,
    labelNames: readonly Name[],
    bucketsMs: readonly number[] = this.bucketsMs,
  ): BoundedLabels<Name, Time> {
    const buckets = bucketsMs.map(ms => ms / 1_000);
    const histogram = this.added(name, new Histogram({ name, help, labelNames, buckets, registers: [] }));
    return new BoundedLabels(labelNames, this.maxSeries, labels => {
      const child = histogram.labels(labels);
      return durationMs => child.observe(durationMs / 1_000);
    });
  }

  has(name: string): boolean {
    return this.metrics.has(name);
  }

  /**
   * @param read what was read for this answer, beside what was counted
   * @param openMetrics in the format of OpenMetrics, else in Prometheus' own
   */
  async expose(read: readonly Metric[], openMetrics: boolean): Promise<Exposition> {
    const registry: Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE | typeof Registry.PROMETHEUS_CONTENT_TYPE> =
      new Registry();
    registry.setContentType(openMetrics ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE);
    for (const metric of [...this.metrics.values(), ...read.map(metric => this.family(metric))])
      registry.registerMetric(openMetrics && metric instanceof Counter ? renamable(metric) : metric);
    return { type: registry.contentType, body: await registry.metrics() };
  }

  private family({ name, help, type, samples }: Metric): PromMetric {
    const labelNames = [...new Set(samples.flatMap(({ labels = {} }) => Object.keys(labels)))];
    const family = new (type === 'counter' ? Counter : Gauge)({ name, help, labelNames, registers: [] });
    for (const { labels = {}, value } of samples.slice(0, this.maxSeries)) {
      if (family instanceof Counter) family.inc(labels, value);
      else family.set(labels, value);
    }
    return family;
  }

  private added<M extends PromMetric>(name: string, metric: M): M {
    this.metrics.set(name, metric);
    return metric;
  }
}

/** For OpenMetrics prom-client takes `_total` off a counter's own name, and Prometheus' format would be without it from then on. */
function renamable(counter: Counter): Counter {
  return Object.create(counter) as Counter;
}
