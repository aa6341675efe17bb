export {
  type ConsumeOptions,
  type Decision,
  type FailurePolicy,
  type LimitRule,
  type LimitWindow,
  RateLimiter,
  type WindowState,
} from './rate-limiter.js';
