import { RateLimitConfig } from './rate-limit.config.js';
import type { RateLimiter } from './rate-limiter.js';

const configs = new WeakMap<RateLimiter, RateLimitConfig>();

/** Called by each driver for what it returns. */
export function withConfig(limiter: RateLimiter, config: RateLimitConfig): RateLimiter {
  configs.set(limiter, config);
  return limiter;
}

/** The live configuration of a limiter; the defaults for one that a spec put in its place. */
export function configOf(limiter: RateLimiter): RateLimitConfig {
  return configs.get(limiter) ?? new RateLimitConfig();
}
