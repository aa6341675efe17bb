import { createHash } from 'node:crypto';
import { Controller, Get } from '@nestjs/common';
import { bootInfra, httpAdapters } from '@core-infra/testing';
import { RateLimit, RateLimitModule, SkipRateLimit } from '../../src/index.js';
import { bootLimited, statuses } from '../http/support.js';

@Controller()
class ListedController {
  @RateLimit({ limit: 1, windowMs: 60_000, by: ({ request }) => request!.headers['x-partner'] as string })
  @Get('partner')
  partner(): string {
    return 'partner';
  }
  @RateLimit({ limit: 1, windowMs: 60_000 })
  @Get('once')
  once(): string {
    return 'once';
  }
  @SkipRateLimit()
  @Get('free')
  free(): string {
    return 'free';
  }
}

const behind = { trustedProxies: ['loopback'] };
const from = (address: string, headers: Record<string, string> = {}): RequestInit => ({
  headers: { 'x-forwarded-for': address, ...headers },
});

describe.each(httpAdapters)('lists on %s', adapter => {
  it('refuses who is on the one with 403, where nothing is limited too', async () => {
    await using app = await bootLimited(adapter, ListedController, {
      client: behind,
      access: { deny: ['198.51.100.0/24'] },
    });
    const denied = await app.fetch('/free', from('198.51.100.7'));
    expect([denied.status, await denied.json()]).toEqual([
      403,
      { statusCode: 403, message: 'You may not use this service' },
    ]);
    expect((await app.fetch('/free', from('198.51.101.7'))).status).toBe(200);
  });

  it('limits nobody who is on the other, and refuses who is on both', async () => {
    await using app = await bootLimited(adapter, ListedController, {
      client: behind,
      access: { allow: ['2001:db8::/32', '192.0.2.1'], deny: ['2001:db8:bad::/48'] },
    });
    expect(await statuses(app, '/once', 3, from('192.0.2.1'))).toEqual([200, 200, 200]);
    expect(await statuses(app, '/once', 3, from('2001:db8::1'))).toEqual([200, 200, 200]);
    expect(await statuses(app, '/once', 1, from('2001:db8:bad::1'))).toEqual([403]);
    expect(await statuses(app, '/once', 2, from('192.0.2.2'))).toEqual([200, 429]);
  });

  it('knows users by the context, API keys by their hashes, and what functions return', async () => {
    const hash = (key: string): string => createHash('sha256').update(key).digest('hex');
    await using app = await bootLimited(adapter, ListedController, {
      access: { allow: [`api-key:${hash('good')}`, 'key:acme'], deny: [`api-key:${hash('stolen')}`, 'key:evil'] },
    });
    const key = (value: string): RequestInit => ({ headers: { 'x-api-key': value } });
    const partner = (value: string): RequestInit => ({ headers: { 'x-partner': value } });
    expect(await statuses(app, '/once', 3, key('good'))).toEqual([200, 200, 200]);
    expect(await statuses(app, '/once', 1, key('stolen'))).toEqual([403]);
    expect(await statuses(app, '/partner', 3, partner('acme'))).toEqual([200, 200, 200]);
    expect(await statuses(app, '/partner', 1, partner('evil'))).toEqual([403]);
    expect(await statuses(app, '/partner', 2, partner('other'))).toEqual([200, 429]);
  });
});

describe('what cannot stand in the configuration', () => {
  it('is refused at boot, with its place, and an API key is not repeated', async () => {
    const boot = bootInfra(
      RateLimitModule.forRoot({
        client: { trustedProxies: ['10.0.0.0/40'], header: 'no header', ipv6Prefix: 12 },
        access: { allow: ['api-key:very-secret'], deny: ['nobody'] },
      }),
    );
    const error = (await boot.catch((caught: unknown) => caught)) as Error;
    expect(error.message).toContain('rateLimit.client.header');
    expect(error.message).toContain('rateLimit.client.ipv6Prefix');
    const more = (await bootInfra(
      RateLimitModule.forRoot({
        client: { trustedProxies: ['10.0.0.0/40'] },
        access: { allow: ['10.0.0.1', 'api-key:very-secret'], deny: ['nobody'] },
      }),
    ).catch((caught: unknown) => caught)) as Error;
    expect(more.message).toContain('"10.0.0.0/40" is none');
    expect(more.message).toMatch(/rateLimit\.access\.allow.*entry 2 is none/s);
    expect(more.message).toMatch(/rateLimit\.access\.deny.*entry 1 is none/s);
    expect(more.message).not.toContain('very-secret');
  });
});
