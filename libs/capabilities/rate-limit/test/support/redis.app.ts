import { RedisModule } from '@core-infra/redis';
import { bootInfra, type InfraApp, uniqueName } from '@core-infra/testing';
import { type LimitRule, RateLimitModule, type RateLimitOptions } from '@core-infra/rate-limit';

/** An app that counts in the Redis at this address, under keys of its own; patient, as the machine of the specs may be busy. */
export function redisApp(url: string, options: RateLimitOptions = {}): Promise<InfraApp> {
  return bootInfra(
    RedisModule.forRoot({ url, startup: 'require' }),
    RateLimitModule.forRoot({ driver: 'redis', keyPrefix: uniqueName('limit'), timeoutMs: 2_000, ...options }),
  );
}

/** A rule of which nothing comes back while a spec runs. */
export function hourly(limit: number, more: Partial<LimitRule> = {}): LimitRule {
  return { name: uniqueName('hourly'), windows: [{ limit, windowMs: 3_600_000 }], ...more };
}
