import { Module } from '@nestjs/common';
import { type ConfigInput, defineConcern, lazyDriver } from '@core-infra/kernel';
import { memory } from './drivers/memory.js';
import { configOf } from './limiter-config.js';
import { RateLimitConfig } from './rate-limit.config.js';
import { RateLimiter } from './rate-limiter.js';

/** What `forRoot` takes. */
export type RateLimitOptions = ConfigInput<RateLimitConfig>;

const rateLimit = defineConcern<RateLimitConfig, RateLimiter>({
  name: 'rate-limit',
  section: 'rateLimit',
  port: RateLimiter,
  also: [{ token: RateLimitConfig, from: configOf }],
  config: RateLimitConfig,
  upstreams: { redis: 'redis' },
  drivers: { memory, redis: lazyDriver(() => import('./drivers/redis.js'), ['@core-infra/redis']) },
});

/** DI token of a limiter: `RateLimiter` itself for the default one. */
export const getRateLimiterToken = rateLimit.token;

/** Injects a limiter by its name. */
export const InjectRateLimiter = rateLimit.Inject;

/** Rate limits: {@link RateLimiter} by type, with its {@link RateLimitConfig}. */
@Module({})
export class RateLimitModule extends rateLimit.ConcernModule {}
