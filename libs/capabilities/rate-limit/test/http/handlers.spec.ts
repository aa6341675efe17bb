import { Body, ConflictException, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { RedisModule } from '@core-infra/redis';
import { httpAdapters, type HttpApp, type Importable, uniqueName, useRedis } from '@core-infra/testing';
import { RateLimit, type RateLimitOptions, SkipRateLimit } from '../../src/index.js';
import { bootLimited, statuses, structuredList } from './support.js';

const minute = 60_000;

@Controller('auth')
@RateLimit({ limit: 4, windowMs: minute, name: 'auth' })
class AuthController {
  @Post('login')
  @HttpCode(200)
  @RateLimit({ limit: 2, windowMs: minute, by: ({ request }) => (request!.body as { email?: string }).email })
  login(@Body() body: { email: string }): unknown {
    return body;
  }

  @Get('me')
  me(): string {
    return 'me';
  }

  @Get('status')
  @SkipRateLimit()
  status(): string {
    return 'status';
  }
}

@Controller()
class WindowsController {
  @Get('windows')
  @RateLimit({
    windows: [
      { limit: 10, windowMs: 1_500 },
      { limit: 1_000, windowMs: 3_600_000 },
    ],
    name: 'search',
  })
  windows(): string {
    return 'windows';
  }

  @Get('stacked')
  @RateLimit({ limit: 3, windowMs: 10_000, name: 'burst' })
  @RateLimit({ limit: 50, windowMs: 3_600_000, name: 'hourly' })
  stacked(): string {
    return 'stacked';
  }

  @Get('cost')
  @RateLimit({ limit: 10, windowMs: minute, cost: ({ request }) => Number((request!.query as { size?: string }).size) })
  cost(): string {
    return 'cost';
  }

  @Get('skip')
  @RateLimit({ limit: 1, windowMs: minute, skipIf: ({ request }) => request!.headers['x-probe'] === 'yes' })
  skip(): string {
    return 'skip';
  }

  @Get('everyone')
  @RateLimit({ limit: 2, windowMs: minute, by: 'everyone', name: 'shared' })
  everyone(): string {
    return 'everyone';
  }

  @Get('too')
  @RateLimit({ limit: 2, windowMs: minute, by: 'everyone', name: 'shared' })
  too(): string {
    return 'too';
  }

  @Get('key')
  @RateLimit({ limit: 1, windowMs: minute, by: 'api-key' })
  key(): string {
    return 'key';
  }

  @Get('answers/304')
  notModified(): string {
    return 'the same';
  }

  @Get('answers/204')
  @HttpCode(204)
  empty(): void {
    return;
  }

  @Get('answers/409')
  conflict(): void {
    throw new ConflictException();
  }

  @Get('answers/500')
  failure(): void {
    throw new Error('it fails');
  }
}

const redis = useRedis();

const stores: [string, () => { options: RateLimitOptions; imports: Importable[] }][] = [
  ['memory', () => ({ options: {}, imports: [] })],
  [
    'redis',
    () => ({
      options: { driver: 'redis', keyPrefix: uniqueName('limits'), timeoutMs: 5_000, startup: 'require' },
      imports: [RedisModule.forRoot({ url: redis.url, startup: 'require' })],
    }),
  ],
];

const cases = httpAdapters.flatMap(adapter => stores.map(([name, store]) => [adapter, name, store] as const));

describe.each(cases)('decorated handlers on %s over %s', (adapter, _name, store) => {
  const boot = (...controllers: Parameters<typeof bootLimited>[1][]): Promise<HttpApp> => {
    const { options, imports } = store();
    return bootLimited(adapter, controllers.flat(), { client: { trustedProxies: ['loopback'] }, ...options }, imports);
  };
  const from = (address: string): RequestInit => ({ headers: { 'x-forwarded-for': address } });

  it('count for a controller over all its handlers, and for a handler on top of it', async () => {
    await using app = await boot(AuthController);
    const login = (email: string): RequestInit => ({
      method: 'POST',
      body: JSON.stringify({ email }),
      headers: { 'content-type': 'application/json' },
    });
    expect(await statuses(app, '/auth/login', 3, login('a@example.com'))).toEqual([200, 200, 429]);
    expect(await statuses(app, '/auth/login', 1, login('b@example.com'))).toEqual([200]);
    // What the handler's own limit refused was not counted for the controller's.
    expect(await statuses(app, '/auth/me', 2)).toEqual([200, 429]);
    expect(await statuses(app, '/auth/status', 2)).toEqual([200, 200]);
  });

  it('have several windows in one policy each', async () => {
    await using app = await boot(WindowsController);
    const { headers } = await app.fetch('/windows');
    expect(structuredList(headers.get('ratelimit-policy'))).toEqual([
      { value: 'search-1500ms', q: 10, w: 2 },
      { value: 'search-3600s', q: 1_000, w: 3_600 },
    ]);
    expect(structuredList(headers.get('ratelimit'))).toEqual([
      { value: 'search-1500ms', r: 9, t: 2 },
      { value: 'search-3600s', r: 999, t: expect.any(Number) },
    ]);
  });

  it('stack, and are refused by the one that is used up', async () => {
    await using app = await boot(WindowsController);
    expect(await statuses(app, '/stacked', 3)).toEqual([200, 200, 200]);
    const refused = await app.fetch('/stacked');
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect([1, 2, 3, 4]).toContain(retryAfter);
    const fields = structuredList(refused.headers.get('ratelimit'));
    expect(fields).toEqual([
      { value: 'burst', r: 0, t: retryAfter },
      { value: 'hourly', r: 47, t: expect.any(Number) },
    ]);
    expect(fields.every(({ t }) => Number(t) <= retryAfter)).toBe(true);
  });

  it('cost what a function says; nonsense costs 1, nothing is free, and too much never passes', async () => {
    await using app = await boot(WindowsController);
    const left = async (size: string): Promise<unknown> =>
      structuredList((await app.fetch(`/cost?size=${size}`)).headers.get('ratelimit'))[0]!.r;
    expect(await left('4')).toBe(6);
    expect(await left('nonsense')).toBe(5);
    expect(await left('-3')).toBe(4);
    expect(await left('1.5')).toBe(2);
    expect(await statuses(app, '/cost?size=0', 5)).toEqual([200, 200, 200, 200, 200]);
    const never = await app.fetch('/cost?size=11');
    expect([never.status, never.headers.get('retry-after')]).toEqual([429, null]);
  });

  it('are not counted where skipIf says so', async () => {
    await using app = await boot(WindowsController);
    expect(await statuses(app, '/skip', 2, { headers: { 'x-probe': 'yes' } })).toEqual([200, 200]);
    expect(await statuses(app, '/skip', 2)).toEqual([200, 429]);
  });

  it('share a limit by its name, and one for everyone by all addresses', async () => {
    await using app = await boot(WindowsController);
    expect(await statuses(app, '/everyone', 1, from('192.0.2.1'))).toEqual([200]);
    expect(await statuses(app, '/too', 1, from('192.0.2.2'))).toEqual([200]);
    expect(await statuses(app, '/everyone', 1, from('192.0.2.3'))).toEqual([429]);
  });

  it('know callers by their API keys, and without one by address', async () => {
    await using app = await boot(WindowsController);
    const key = (value: string): RequestInit => ({ headers: { 'X-API-Key': value } });
    expect(await statuses(app, '/key', 2, key('one'))).toEqual([200, 429]);
    expect(await statuses(app, '/key', 2, key('two'))).toEqual([200, 429]);
    expect(await statuses(app, '/key', 2)).toEqual([200, 429]);
  });

  it('announce their limits on every answer, whatever its status', async () => {
    await using app = await boot(WindowsController);
    for (const status of [204, 409, 500]) {
      const answer = await app.fetch(`/answers/${status}`);
      expect([answer.status, structuredList(answer.headers.get('ratelimit'))[0]!.value]).toEqual([status, 'default']);
      expect(structuredList(answer.headers.get('ratelimit-policy'))[0]).toEqual({ value: 'default', q: 100, w: 60 });
    }
  });
});

describe('not modified', () => {
  it('has the fields as well', async () => {
    await using app = await bootLimited('express', WindowsController);
    const etag = (await app.fetch('/answers/304')).headers.get('etag')!;
    const same = await app.fetch('/answers/304', { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } });
    expect([same.status, structuredList(same.headers.get('ratelimit'))[0]!.r]).toEqual([304, 98]);
  });
});
