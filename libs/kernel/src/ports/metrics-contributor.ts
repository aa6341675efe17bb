import { SetMetadata } from '@nestjs/common';

/** One number. */
export interface MetricSample {
  readonly value: number;
  /** Names and values of a small fixed set: never an id, a key or anything that a caller sends. @default none */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Numbers of one name, as Prometheus knows them. */
export interface Metric {
  /** Lower case with `_`, in a base unit that ends it: `orders_waiting_age_seconds`; a counter ends in `_total`. */
  readonly name: string;
  /** What it says, in a sentence. */
  readonly help: string;
  /** A `counter` only ever rises while the process lives. @default 'gauge' */
  readonly type?: 'gauge' | 'counter';
  readonly samples: readonly MetricSample[];
}

/**
 * Reads numbers when somebody asks for them; rejects when it cannot. It must give up when the signal aborts; what it resolves with at once then
 * still counts.
 */
export type ReadMetrics = (signal: AbortSignal) => readonly Metric[] | Promise<readonly Metric[]>;

/** A provider that has numbers: `metrics(signal)`, as in {@link ReadMetrics}. */
export interface MetricsContributing {
  metrics: ReadMetrics;
}

export const METRICS_CONTRIBUTOR = 'core-infra:metrics-contributor';

/**
 * Makes what a provider's `metrics(signal)` returns part of `/metrics`. It is asked at most once a second, however many scrape, and has a
 * second to answer. The observability module finds it; without that, nothing happens.
 */
export function MetricsContributor(): ClassDecorator {
  return SetMetadata(METRICS_CONTRIBUTOR, true);
}
