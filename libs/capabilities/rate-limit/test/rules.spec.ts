import { bootInfra } from '@core-infra/testing';
import { type LimitRule, RateLimiter, RateLimitModule } from '@core-infra/rate-limit';

const good: LimitRule = { name: 'login', windows: [{ limit: 5, windowMs: 60_000 }] };

describe('a rule that cannot be meant so', () => {
  it.each<[string, Partial<Record<keyof LimitRule, unknown>>, string]>([
    [
      'no name',
      { name: '' },
      'The rate limit "" has name = "", where 1 to 100 of A-Z a-z 0-9 _ . : / @ - is expected. Name it after what it protects: "login".',
    ],
    ['a name with a line break', { name: 'a\nb' }, 'has name = "a\\nb"'],
    ['a name of another type', { name: 7 }, 'The rate limit 7 has name = 7'],
    [
      'no windows',
      { windows: [] },
      'has windows = [], where a list of 1 to 8 windows is expected. Write { limit: 5, windowMs: 60_000 } for five a minute.',
    ],
    ['windows left out', { windows: undefined }, 'has windows = undefined'],
    [
      'nine windows',
      { windows: Array.from({ length: 9 }, (_, at) => ({ limit: 1, windowMs: at + 1 })) },
      'where a list of 1 to 8 windows is expected',
    ],
    [
      'a limit of 0',
      { windows: [{ limit: 0, windowMs: 1 }] },
      'has windows[0].limit = 0, where a whole number of at least 1 is expected.',
    ],
    ['a limit of NaN', { windows: [{ limit: Number.NaN, windowMs: 1 }] }, 'has windows[0].limit = NaN'],
    ['a limit of 1.5', { windows: [{ limit: 1.5, windowMs: 1 }] }, 'has windows[0].limit = 1.5'],
    [
      'a negative window',
      { windows: [...good.windows, { limit: 1, windowMs: -1 }] },
      'has windows[1].windowMs = -1, where a whole number of milliseconds, at least 1 is expected.',
    ],
    ['an infinite window', { windows: [{ limit: 1, windowMs: Infinity }] }, 'has windows[0].windowMs = Infinity'],
    [
      'numbers that are not exact',
      { windows: [{ limit: 1e9, windowMs: 86_400_000 }] },
      'has windows[0].limit = 1000000000, where at most 52124995 in 86400000 ms is expected.',
    ],
    [
      'two windows of one length',
      {
        windows: [
          { limit: 1, windowMs: 5 },
          { limit: 2, windowMs: 5 },
        ],
      },
      'has windows[1].windowMs = 5, where a length that no other window has is expected. Keep the smaller limit of the two.',
    ],
    [
      'an unknown policy',
      { onFailure: 'maybe' },
      'has onFailure = "maybe", where "local", "open" or "closed" is expected.',
    ],
  ])('%s: the error names the field and the fix', async (_what, wrong, message) => {
    await using app = await bootInfra(RateLimitModule.forRoot());
    const limiter = app.get(RateLimiter);
    await expect(limiter.consume({ ...good, ...wrong } as LimitRule, 'ann')).rejects.toMatchObject({
      code: 'INFRA_RATE_LIMIT_INVALID',
      message: expect.stringContaining(message) as string,
    });
  });

  it('is rejected by reset as well', async () => {
    await using app = await bootInfra(RateLimitModule.forRoot());
    await expect(app.get(RateLimiter).reset({ ...good, name: '' }, 'ann')).rejects.toThrow('has name = ""');
  });
});
