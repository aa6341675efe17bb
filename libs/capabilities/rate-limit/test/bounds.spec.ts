import { Global, Module } from '@nestjs/common';
import { Clock, Connections } from '@core-infra/kernel';
import { bootInfra, type InfraApp } from '@core-infra/testing';
import { type LimitRule, RateLimiter, RateLimitModule } from '@core-infra/rate-limit';

let now = 0;

@Global()
@Module({
  providers: [{ provide: Clock, useValue: { now: () => now, monotonic: () => now } }],
  exports: [Clock],
})
class FakeTime {}

const rule: LimitRule = { name: 'hourly', windows: [{ limit: 3, windowMs: 3_600_000 }] };
const quick: LimitRule = { name: 'quick', windows: [{ limit: 3, windowMs: 1_000 }] };

const callersOf = async (app: InfraApp): Promise<unknown> => {
  const check = app
    .get(Connections)
    .checks()
    .find(({ name }) => name === 'rate-limit')!;
  return ((await check.run()) as { callers: number }).callers;
};

describe('the memory of a process', () => {
  it('keeps a bounded number of a hundred thousand callers', async () => {
    await using app = await bootInfra(RateLimitModule.forRoot({ maxCallers: 1_000 }));
    const limiter = app.get(RateLimiter);
    for (let caller = 0; caller < 100_000; caller += 1) await limiter.consume(rule, `caller-${caller}`);
    expect(await callersOf(app)).toBe(1_000);
    expect(await limiter.consume(rule, 'caller-99999')).toMatchObject({ windows: [{ remaining: 1 }] });
  });

  it('does not let an offender go because of a flood of others', async () => {
    await using app = await bootInfra(RateLimitModule.forRoot({ maxCallers: 1_000 }));
    const limiter = app.get(RateLimiter);
    for (let again = 0; again < 4; again += 1) await limiter.consume(rule, 'offender');
    for (let caller = 0; caller < 20_000; caller += 1) await limiter.consume(rule, `caller-${caller}`);
    expect(await limiter.consume(rule, 'offender')).toMatchObject({ allowed: false });
  });

  it('is bounded when all of them offend, and keeps the latest', async () => {
    await using app = await bootInfra(RateLimitModule.forRoot({ maxCallers: 1_000 }));
    const limiter = app.get(RateLimiter);
    for (let caller = 0; caller < 5_000; caller += 1) {
      for (let again = 0; again < 4; again += 1) await limiter.consume(rule, `caller-${caller}`);
    }
    expect(await callersOf(app)).toBe(1_000);
    expect(await limiter.consume(rule, 'caller-4999')).toMatchObject({ allowed: false });
  });

  it('forgets callers once their units are back, offenders too', async () => {
    await using app = await bootInfra(FakeTime, RateLimitModule.forRoot());
    const limiter = app.get(RateLimiter);
    for (let caller = 0; caller < 1_000; caller += 1) {
      for (let again = 0; again < (caller % 2 ? 1 : 5); again += 1) await limiter.consume(quick, `caller-${caller}`);
    }
    expect(await callersOf(app)).toBe(1_000);
    now += 1_000;
    for (let again = 0; again < 2_000; again += 1) await limiter.consume(rule, 'ann');
    expect(await callersOf(app)).toBe(1);
  });

  it('keeps nothing of who asks, or costs too much', async () => {
    await using app = await bootInfra(RateLimitModule.forRoot());
    const limiter = app.get(RateLimiter);
    await limiter.consume(rule, 'ann', { cost: 0 });
    await limiter.consume(rule, 'ann', { cost: 4 });
    expect(await callersOf(app)).toBe(0);
  });
});
