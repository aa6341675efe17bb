export { AccessConfig } from './client/access.config.js';
export { ClientConfig } from './client/client.config.js';
export type { LimitBy, LimitedCall, LimitedRequest, LimitOptions, OfCall } from './decorators/limit.options.js';
export { type LimitDecorator, RateLimit, SkipRateLimit } from './decorators/rate-limit.decorator.js';
export { type RateLimitDecision, rateLimitDecisions } from './events/decisions.js';
export {
  CallerDeniedError,
  InvalidLimitError,
  LimitDeclarationError,
  RateLimitedError,
  RateLimitNotWiredError,
  RateLimitUnavailableError,
} from './errors.js';
export { RateLimitGuard } from './http/rate-limit.guard.js';
export { DefaultLimitConfig, RateLimitConfig } from './rate-limit.config.js';
export { getRateLimiterToken, InjectRateLimiter, RateLimitModule, type RateLimitOptions } from './rate-limit.module.js';
export {
  type ConsumeOptions,
  type Decision,
  type FailurePolicy,
  type LimitRule,
  type LimitWindow,
  RateLimiter,
  type WindowState,
} from './rate-limiter.js';
export { LimiterThrottlerStorage, type ThrottlerRecord } from './throttler/limiter-throttler.storage.js';
