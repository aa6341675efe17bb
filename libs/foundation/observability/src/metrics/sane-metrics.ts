import type { Metric, MetricSample } from '@core-infra/kernel';

const metricName = /^[a-z_][a-z0-9_]{0,199}$/;
const labelName = /^[a-z_][a-z0-9_]{0,99}$/;
const longestValue = 128;

/**
 * What was read, with the label `connection`, and without what Prometheus would not take: one bad number must not cost the whole answer.
 * @throws TypeError when a name cannot be one, or is another metric's
 */
export function sane(
  metrics: readonly Metric[],
  connection: string | undefined,
  isTaken: (name: string) => boolean,
): readonly Metric[] {
  return metrics.map(metric => {
    const { name, help, type = 'gauge', samples } = metric;
    if (!metricName.test(name)) throw new TypeError(`"${name}" cannot be the name of a metric`);
    if (isTaken(name)) throw new TypeError(`"${name}" is a metric already, and is not read but counted`);
    const good = samples.filter(({ value }) => Number.isFinite(value) && (type === 'gauge' || value >= 0));
    return { name, help: help || name, type, samples: good.map(sample => labelled(sample, connection)) };
  });
}

function labelled({ value, labels = {} }: MetricSample, connection: string | undefined): MetricSample {
  const names = Object.keys(labels);
  const bad = names.find(name => !labelName.test(name));
  if (bad !== undefined) throw new TypeError(`"${bad}" cannot be the name of a label`);
  const values = names.map(name => [name, String(labels[name]).slice(0, longestValue)] as const);
  return { value, labels: { ...(connection !== undefined && { connection }), ...Object.fromEntries(values) } };
}

/** One metric of each name: several may have something to say to it. What differs in type from the first is left out. */
export function merged(metrics: readonly Metric[]): readonly Metric[] {
  const byName = new Map<string, Metric>();
  for (const metric of metrics) {
    const known = byName.get(metric.name);
    if (!known) byName.set(metric.name, metric);
    else if (known.type === metric.type)
      byName.set(metric.name, { ...known, samples: [...known.samples, ...metric.samples] });
  }
  return [...byName.values()];
}
