export { HealthIndicatorService } from '@nestjs/terminus';
export { HealthContributor, type HealthContributing, type HealthContributorOptions } from '@core-infra/kernel';
export type { Indicator } from './check.definition.js';
export type { HealthListener } from './check.registry.js';
export {
  CheckTimeoutError,
  DuplicateCheckError,
  HealthRefusedError,
  HealthRegisteredTwiceError,
  InvalidCheckError,
  ThresholdExceededError,
  UnknownCheckError,
} from './errors.js';
export { HealthConfig, type LivenessCheck } from './health.config.js';
export { HealthModule } from './health.module.js';
export type {
  CheckReport,
  CheckStatus,
  FailureReport,
  HealthReport,
  HealthStatus,
  StateChange,
} from './health.report.js';
export { HealthService } from './health.service.js';
export {
  CpuThresholds,
  DiskThresholds,
  EventLoopThresholds,
  HeapThresholds,
  RssThresholds,
} from './thresholds.config.js';
