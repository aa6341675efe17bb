import { Controller, Get } from '@nestjs/common';
import { httpAdapters } from '@core-infra/testing';
import { SkipRateLimit } from '../../src/index.js';
import { bootLimited, statuses, structuredList } from './support.js';

@Controller()
class PlainController {
  @Get('one') one(): string {
    return 'one';
  }
  @Get('two') two(): string {
    return 'two';
  }
  @SkipRateLimit()
  @Get('free')
  free(): string {
    return 'free';
  }
}

describe.each(httpAdapters)('the default limit on %s', adapter => {
  it('is 100 per 60 s for each address, counted over all handlers, and announced on every answer', async () => {
    await using app = await bootLimited(adapter, PlainController);
    const first = await app.fetch('/one');
    expect(first.status).toBe(200);
    expect(structuredList(first.headers.get('ratelimit-policy'))).toEqual([{ value: 'default', q: 100, w: 60 }]);
    expect(structuredList(first.headers.get('ratelimit'))).toEqual([{ value: 'default', r: 99, t: 60 }]);
    expect(first.headers.get('retry-after')).toBeNull();
    const second = await app.fetch('/two');
    expect(structuredList(second.headers.get('ratelimit'))[0]).toMatchObject({ r: 98 });
  });

  it('refuses with 429 and says when to come back', async () => {
    await using app = await bootLimited(adapter, PlainController, { default: { limit: 2, windowMs: 60_000 } });
    expect(await statuses(app, '/one', 2)).toEqual([200, 200]);
    const refused = await app.fetch('/two');
    expect([refused.status, await refused.json()]).toEqual([429, { statusCode: 429, message: 'Too many requests' }]);
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(20);
    expect(retryAfter).toBeLessThanOrEqual(30);
    expect(structuredList(refused.headers.get('ratelimit'))).toEqual([{ value: 'default', r: 0, t: retryAfter }]);
  });

  it('leaves out what says so, and everything when it is off', async () => {
    await using app = await bootLimited(adapter, PlainController, { default: { limit: 1 } });
    expect(await statuses(app, '/free', 3)).toEqual([200, 200, 200]);
    expect((await app.fetch('/free')).headers.get('ratelimit')).toBeNull();
    await using off = await bootLimited(adapter, PlainController, { default: { limit: 1, enabled: false } });
    expect(await statuses(off, '/one', 3)).toEqual([200, 200, 200]);
  });
});
