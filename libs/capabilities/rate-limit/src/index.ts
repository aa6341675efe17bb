export { type RateLimitDecision, rateLimitDecisions } from './events/decisions.js';
export { InvalidLimitError } from './errors.js';
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
