export {
  type Metric,
  type MetricSample,
  type MetricsContributing,
  MetricsContributor,
  type ReadMetrics,
} from '@core-infra/kernel';
export { InvalidMetricsContributorError, MetricsRefusedError, ObservabilityRegisteredTwiceError } from './errors.js';
export { MetricsConfig } from './metrics/metrics.config.js';
export { ObservabilityConfig } from './observability.config.js';
export { ObservabilityModule } from './observability.module.js';
