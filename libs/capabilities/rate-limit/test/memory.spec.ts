import { Global, Module } from '@nestjs/common';
import { Clock } from '@core-infra/kernel';
import { bootInfra } from '@core-infra/testing';
import { type LimitRule, RateLimitConfig, RateLimiter, RateLimitModule } from '@core-infra/rate-limit';

let now = 0.75;

@Global()
@Module({
  providers: [{ provide: Clock, useValue: { now: () => now, monotonic: () => now } }],
  exports: [Clock],
})
class FakeTime {}

const perMinute: LimitRule = { name: 'five', windows: [{ limit: 5, windowMs: 60_000 }] };

describe('the memory driver', () => {
  it('lets five a minute through at once, then one every twelve seconds', async () => {
    await using app = await bootInfra(FakeTime, RateLimitModule.forRoot());
    const limiter = app.get(RateLimiter);
    for (let left = 4; left >= 0; left -= 1) {
      expect(await limiter.consume(perMinute, 'ann')).toEqual({
        allowed: true,
        retryAfterMs: 0,
        windows: [{ limit: 5, windowMs: 60_000, remaining: left, resetMs: (5 - left) * 12_000 }],
        by: 'memory',
      });
    }
    expect(await limiter.consume(perMinute, 'ann')).toMatchObject({ allowed: false, retryAfterMs: 12_000 });
    now += 11_999;
    expect(await limiter.consume(perMinute, 'ann')).toMatchObject({ allowed: false, retryAfterMs: 1 });
    now += 1;
    expect(await limiter.consume(perMinute, 'ann')).toMatchObject({ allowed: true });
    expect(await limiter.consume(perMinute, 'ann')).toMatchObject({ allowed: false, retryAfterMs: 12_000 });
    expect(await limiter.consume(perMinute, 'ben')).toMatchObject({ allowed: true });
  });

  it('offers its configuration', async () => {
    await using app = await bootInfra(RateLimitModule.forRoot({ default: { limit: 7 } }));
    expect(app.get(RateLimitConfig).default).toMatchObject({ limit: 7, windowMs: 60_000 });
  });
});
