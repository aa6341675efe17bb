import { ConfigSection, Nested } from '@core-infra/kernel';
import { MetricsConfig } from './metrics/metrics.config.js';

/** Section `observability`. */
@ConfigSection('observability')
export class ObservabilityConfig {
  /** What `/metrics` tells, and to whom. */
  @Nested(() => MetricsConfig) metrics: MetricsConfig = new MetricsConfig();

  static *check({ metrics: { bucketsMs } }: ObservabilityConfig): Iterable<{ path: string; expected: string }> {
    if (bucketsMs.some((bound, at) => at > 0 && bound <= bucketsMs[at - 1]!))
      yield { path: 'metrics.bucketsMs', expected: 'each bound to be above the one before it' };
  }
}
