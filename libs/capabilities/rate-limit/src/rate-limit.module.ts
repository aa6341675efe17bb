import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import {
  type ConcernAsyncOptions,
  type ConfigInput,
  defineConcern,
  lazyDriver,
  type Placement,
} from '@core-infra/kernel';
import { LimitRegistry } from './decorators/limit.registry.js';
import { memory } from './drivers/memory.js';
import { LimitEnforcer } from './enforcement/limit.enforcer.js';
import { GlobalRateLimitGuard, RateLimitGuard } from './http/rate-limit.guard.js';
import { RefusalFilter } from './http/refusal.filter.js';
import { configOf } from './limiter-config.js';
import { RateLimitConfig } from './rate-limit.config.js';
import { RateLimiter } from './rate-limiter.js';
import { LimiterThrottlerStorage } from './throttler/limiter-throttler.storage.js';

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

/**
 * Rate limits: {@link RateLimiter} by type, with its {@link RateLimitConfig}. The default limiter's module also puts `@RateLimit()` and the default of the
 * configuration in force.
 */
@Module({})
export class RateLimitModule extends rateLimit.ConcernModule {
  static override forRoot(options: RateLimitOptions & Partial<Placement> = {}): DynamicModule {
    return withSurface(super.forRoot(options), options.name);
  }

  static override forRootAsync(options: ConcernAsyncOptions<RateLimitOptions> = {}): DynamicModule {
    return withSurface(super.forRootAsync(options), options.name);
  }
}

/** Decorators and guards ask the default limiter. */
function withSurface(definition: DynamicModule, name: string = 'default'): DynamicModule {
  if (name !== 'default' || definition.exports?.includes(LimitEnforcer)) return definition;
  const exported = [LimitEnforcer, RateLimitGuard, LimiterThrottlerStorage];
  return {
    ...definition,
    providers: [
      ...(definition.providers ?? []),
      ...exported,
      LimitRegistry,
      { provide: APP_GUARD, useClass: GlobalRateLimitGuard },
      { provide: APP_FILTER, useClass: RefusalFilter },
    ],
    exports: [...(definition.exports ?? []), ...exported],
  };
}
