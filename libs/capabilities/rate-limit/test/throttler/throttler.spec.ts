import { Controller, Get } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { SkipThrottle, Throttle, ThrottlerGuard, ThrottlerModule, type ThrottlerStorage } from '@nestjs/throttler';
import { operations } from '@core-infra/kernel';
import { RedisModule } from '@core-infra/redis';
import {
  bootHttp,
  bootInfra,
  type HttpApp,
  httpAdapters,
  type Importable,
  loadedPackages,
  uniqueName,
  useRedis,
} from '@core-infra/testing';
import { join } from 'node:path';
import { LimiterThrottlerStorage, RateLimitModule, type RateLimitOptions } from '../../src/index.js';
import { statuses } from '../http/support.js';

const minute = 60_000;

@Controller()
class ThrottledController {
  @Get('default')
  byDefault(): string {
    return 'default';
  }
  @Get('strict')
  @Throttle({ default: { limit: 1, ttl: minute } })
  strict(): string {
    return 'strict';
  }
  @Get('blocked')
  @Throttle({ default: { limit: 1, ttl: minute, blockDuration: 3_600_000 } })
  blocked(): string {
    return 'blocked';
  }
  @Get('free')
  @SkipThrottle()
  free(): string {
    return 'free';
  }
}

const redis = useRedis();

const stores: [string, () => { options: RateLimitOptions; imports: Importable[] }][] = [
  ['memory', () => ({ options: {}, imports: [] })],
  [
    'redis',
    () => ({
      options: { driver: 'redis', keyPrefix: uniqueName('throttled'), startup: 'require', timeoutMs: 5_000 },
      imports: [RedisModule.forRoot({ url: redis.url, startup: 'require' })],
    }),
  ],
];

const cases = httpAdapters.flatMap(adapter => stores.map(([name, store]) => [adapter, name, store] as const));

describe.each(cases)('@nestjs/throttler on %s over %s', (adapter, _name, store) => {
  function boot(): Promise<HttpApp> {
    const { options, imports } = store();
    const throttler = ThrottlerModule.forRootAsync({
      inject: [LimiterThrottlerStorage],
      useFactory: (storage: ThrottlerStorage) => ({ throttlers: [{ limit: 2, ttl: minute }], storage }),
    });
    class AppModule {}
    const app = {
      module: AppModule,
      controllers: [ThrottledController],
      providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
    };
    return bootHttp(adapter, [
      ...imports,
      RateLimitModule.forRoot({ ...options, default: { enabled: false } }),
      throttler,
      app,
    ]);
  }

  it('counts in our limiter, with its own headers in its own units', async () => {
    await using app = await boot();
    const first = await app.fetch('/default');
    const header = (name: string, answer: Response): number => Number(answer.headers.get(name));
    expect([header('x-ratelimit-limit', first), header('x-ratelimit-remaining', first)]).toEqual([2, 1]);
    expect(header('x-ratelimit-reset', first)).toBe(30);
    expect(await statuses(app, '/default', 1)).toEqual([200]);
    const refused = await app.fetch('/default');
    expect(refused.status).toBe(429);
    expect(header('retry-after', refused)).toBeGreaterThan(20);
    expect(header('retry-after', refused)).toBeLessThanOrEqual(30);
    expect(await statuses(app, '/strict', 2)).toEqual([200, 429]);
    expect(await statuses(app, '/free', 3)).toEqual([200, 200, 200]);
  });

  it('keeps a block that is longer than its window', async () => {
    await using app = await boot();
    expect(await statuses(app, '/blocked', 2)).toEqual([200, 429]);
    const blocked = await app.fetch('/blocked');
    expect(blocked.status).toBe(429);
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(3_500);
  });
});

describe('LimiterThrottlerStorage', () => {
  it('answers what ThrottlerStorage is asked', async () => {
    await using app = await bootInfra(RateLimitModule.forRoot());
    const storage: ThrottlerStorage = app.get(LimiterThrottlerStorage);
    const ask = (limit: number, name = 'default'): Promise<object> =>
      storage.increment('somebody', minute, limit, minute, name);
    expect(await ask(2)).toEqual({ totalHits: 1, timeToExpire: 30, isBlocked: false, timeToBlockExpire: 0 });
    expect(await ask(2)).toMatchObject({ totalHits: 2, timeToExpire: 60, isBlocked: false });
    expect(await ask(2)).toMatchObject({ totalHits: 3, isBlocked: true, timeToBlockExpire: 30 });
    expect(await ask(2, 'of another name')).toMatchObject({ totalHits: 1, isBlocked: false });
    expect(await ask(0, 'none')).toEqual({ totalHits: 1, timeToExpire: 60, isBlocked: true, timeToBlockExpire: 60 });
  });

  it('asks Redis for requests that come together in one script', async () => {
    await using app = await bootInfra(
      RedisModule.forRoot({ url: redis.url, startup: 'require' }),
      RateLimitModule.forRoot({ driver: 'redis', keyPrefix: uniqueName('throttled'), timeoutMs: 5_000 }),
    );
    const storage: ThrottlerStorage = app.get(LimiterThrottlerStorage);
    let asked = 0;
    const count = { start: () => void (asked += 1) };
    operations('rate-limit').subscribe(count as never);
    try {
      const all = Array.from({ length: 20 }, (_, at) => storage.increment(`key-${at}`, minute, 5, minute, 'default'));
      expect((await Promise.all(all)).map(({ totalHits }) => totalHits)).toEqual(Array(20).fill(1));
      expect(asked).toBe(1);
    } finally {
      operations('rate-limit').unsubscribe(count as never);
    }
  });

  it('loads nothing of @nestjs/throttler', async () => {
    const loaded = await loadedPackages(join(__dirname, 'fixtures', 'limited.main.ts'));
    expect(loaded).toContain('ipaddr.js');
    expect(loaded).not.toContain('@nestjs/throttler');
    expect(loaded.filter(name => name === 'ioredis' || name === '@core-infra/redis')).toEqual([]);
  });
});
