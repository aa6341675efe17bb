import { ConfigSection, Nested } from '@core-infra/kernel';
import { MetricsConfig } from './metrics/metrics.config.js';

/** Section `observability`. */
@ConfigSection('observability')
export class ObservabilityConfig {
  /** What `/metrics` tells, and to whom. */
  @Nested(() => MetricsConfig) metrics: MetricsConfig = new MetricsConfig();
}
