import { RequestContext } from '@core-infra/kernel';
import { bootHttp, eventually, httpAdapters } from '@core-infra/testing';
import {
  Controller,
  type ExecutionContext,
  Get,
  Global,
  Header,
  Module,
  Req,
  Res,
  UseGuards,
  type VersioningOptions,
  VersioningType,
} from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AsyncLocalStorage } from 'node:async_hooks';
import { CacheModule, CacheResponse, HttpCache, HttpCacheModule } from '../../src/index.js';

interface AnyResponse {
  header(name: string, value: string): unknown;
}

const asker = new AsyncLocalStorage<{ userId?: string; tenantId?: string }>();

@Global()
@Module({
  providers: [
    {
      provide: RequestContext,
      useValue: {
        get current() {
          return { requestId: 'r', correlationId: 'c', ...asker.getStore() };
        },
        set: () => undefined,
        run: (_fields: unknown, work: () => unknown) => work(),
      },
    },
  ],
  exports: [RequestContext],
})
class AskersModule {}

/** An app's own way to say who asks, which no cache can know of. */
class KnowsByHeader {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    asker.enterWith({ userId: headers['x-known-as'], tenantId: headers['x-tenant'] });
    return true;
  }
}

let calls = 0;

@Controller('answers')
@UseGuards(KnowsByHeader)
class AnswersController {
  @Get('plain')
  @CacheResponse({ ttlMs: 60_000 })
  plain(): object {
    return { call: (calls += 1), ...asker.getStore() };
  }

  @Get('for-all')
  @CacheResponse({ ttlMs: 60_000, sameForAll: true })
  forAll(): object {
    return { call: (calls += 1) };
  }

  @Get('says')
  @CacheResponse({ ttlMs: 60_000 })
  @Header('Cache-Control', 'max-age=5')
  says(): object {
    return { call: (calls += 1) };
  }

  @Get('negotiated')
  @CacheResponse({ ttlMs: 60_000, varyBy: [{ header: 'Accept-Language' }] })
  negotiated(@Req() { headers }: { headers: Record<string, string> }, @Res({ passthrough: true }) to: AnyResponse) {
    to.header('Vary', headers['x-by'] ?? 'accept-language');
    return { call: (calls += 1) };
  }

  @Get('revision')
  @CacheResponse({ ttlMs: 60_000 })
  revision(@Res({ passthrough: true }) to: AnyResponse): object {
    to.header('ETag', '"revision-7"');
    return { call: (calls += 1) };
  }

  @Get('unkept')
  @CacheResponse({ ttlMs: 0 })
  unkept(): object {
    return { call: (calls += 1) };
  }

  @Get('linked')
  @CacheResponse({ ttlMs: 60_000 })
  linked(@Req() { protocol, hostname }: { protocol: string; hostname: string }): object {
    return { link: `${protocol}://${hostname}/` };
  }

  @Get('Items/:id')
  @CacheResponse({ ttlMs: 60_000 })
  item(): object {
    return { call: (calls += 1) };
  }
}

/** As it is in most apps: one name, in a folder for each version. */
function orders(version: string) {
  @Controller({ path: 'orders', version })
  class OrdersController {
    @Get()
    @CacheResponse({ ttlMs: 60_000 })
    find(): object {
      return { version, call: (calls += 1) };
    }
  }
  return OrdersController;
}

@Module({ controllers: [AnswersController] })
class AnswersModule {}

@Module({ controllers: [orders('1'), orders('2')] })
class OrdersModule {}

describe.each(httpAdapters)('whose an answer is, on %s', adapter => {
  const boot = () => bootHttp(adapter, [CacheModule.forRoot(), AskersModule, AnswersModule, HttpCacheModule.forRoot()]);
  type App = Awaited<ReturnType<typeof boot>>;
  const ask = async (app: App, path: string, headers: Record<string, string> = {}) => {
    const response = await app.fetch(`/answers/${path}`, { headers });
    const body = response.status === 304 ? {} : ((await response.json()) as Record<string, unknown>);
    const header = (name: string) => response.headers.get(name);
    return { ...body, status: response.status, state: header('cache-status'), header };
  };

  beforeEach(() => {
    calls = 0;
  });

  it.each<Record<string, string>>([
    { Authorization: 'Bearer x' },
    { Cookie: 'sid=1' },
    { 'X-Api-Key': 'k' },
    { 'X-Known-As': 'ann' },
  ])('%j makes it the asker’s own, here and in proxies', async credentials => {
    await using app = await boot();
    const anonymous = await ask(app, 'plain');
    expect(anonymous).toMatchObject({ call: 1, state: 'app; fwd=miss; stored' });
    const own = await ask(app, 'plain', credentials);
    expect(own).toMatchObject({ call: 2, state: null });
    expect(own.header('cache-control')).toBe('private, no-cache');
    expect(await ask(app, 'plain')).toMatchObject({ call: 1 });
  });

  it('a proxy is told what it is to tell askers apart by, unless it is the same for all', async () => {
    await using app = await boot();
    const plain = await ask(app, 'plain');
    expect(plain.header('vary')).toBe('Authorization, Cookie, X-Api-Key');
    expect(plain.header('cache-control')).toBe('public, max-age=60');
    const first = await ask(app, 'for-all', { Authorization: 'ann' });
    expect(first.header('vary')).toBeNull();
    expect(await ask(app, 'for-all', { Authorization: 'bob' })).toMatchObject({ call: 2 });
  });

  it('what a handler says of caching to somebody with credentials is left as it is', async () => {
    await using app = await boot();
    expect((await ask(app, 'says', { Cookie: 'sid=1' })).header('cache-control')).toBe('max-age=5');
  });

  it('each tenant has its own, which no proxy keeps', async () => {
    await using app = await boot();
    const acme = await ask(app, 'plain', { 'X-Tenant': 'acme' });
    expect(acme).toMatchObject({ call: 1, tenantId: 'acme' });
    expect(acme.header('cache-control')).toBe('private, max-age=60');
    expect(await ask(app, 'plain', { 'X-Tenant': 'evil' })).toMatchObject({ call: 2, tenantId: 'evil' });
    expect(await ask(app, 'plain', { 'X-Tenant': 'acme' })).toMatchObject({ call: 1, tenantId: 'acme' });
  });

  it('one that varies by more than its key holds is not kept', async () => {
    await using app = await boot();
    for (const by of ['X-Flavour', '*', 'Accept-Language, X-Flavour'])
      expect(await ask(app, 'negotiated', { 'X-By': by })).toMatchObject({ state: null });
    await ask(app, 'negotiated');
    await ask(app, 'negotiated');
    await eventually(async () => expect((await ask(app, 'negotiated')).state).toMatch(/hit/));
  });

  it('one that names a host is for those who asked by that host', async () => {
    await using app = await bootHttp(
      adapter,
      [CacheModule.forRoot(), AskersModule, AnswersModule, HttpCacheModule.forRoot()],
      {
        setUp: made => {
          if (adapter === 'express') (made as unknown as NestExpressApplication).set('trust proxy', true);
        },
      },
    );
    const poisoned = { 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'https' };
    expect(await ask(app, 'linked', poisoned)).toMatchObject({
      link: adapter === 'express' ? 'https://evil.test/' : 'http://127.0.0.1/',
    });
    expect(await ask(app, 'linked')).toMatchObject({ link: 'http://127.0.0.1/' });
  });

  it('a handler’s own ETag stays, and answers 304', async () => {
    await using app = await boot();
    expect((await ask(app, 'revision')).header('etag')).toBe('"revision-7"');
    expect((await ask(app, 'revision')).header('etag')).toBe('"revision-7"');
    expect(await ask(app, 'revision', { 'If-None-Match': '"revision-7"' })).toMatchObject({ status: 304 });
    expect(calls).toBe(1);
  });

  it('with a time of nothing it is not kept, and has its validators all the same', async () => {
    await using app = await boot();
    const first = await ask(app, 'unkept');
    expect(first).toMatchObject({ call: 1, state: 'app; fwd=miss' });
    expect(first.header('etag')).toMatch(/^W\/"/);
    expect(await ask(app, 'unkept')).toMatchObject({ call: 2 });
  });

  it('is evicted by its path, however clients spell it', async () => {
    await using app = await boot();
    const spellings = ['Items/7', 'Items/%37', 'Items/7?page=1', ...(adapter === 'express' ? ['iTEMS/7/'] : [])];
    for (const path of spellings) {
      await ask(app, path);
      // The answer may be here before the first is kept.
      await eventually(async () => expect((await ask(app, path)).state).toMatch(/hit/));
    }
    await app.get(HttpCache).evictPath('/answers/items/7');
    for (const path of spellings) expect((await ask(app, path)).state).toMatch(/miss/);
  });

  it.each<[string, VersioningOptions, (version: number) => Record<string, string>]>([
    ['a header', { type: VersioningType.HEADER, header: 'X-Version' }, version => ({ 'X-Version': `${version}` })],
    [
      'the media type',
      { type: VersioningType.MEDIA_TYPE, key: 'v=' },
      version => ({ Accept: `application/json;v=${version}` }),
    ],
    [
      'a function',
      {
        type: VersioningType.CUSTOM,
        extractor: request => (request as { headers: Record<string, string> }).headers['x-mine'] ?? '',
      },
      version => ({ 'X-Mine': `${version}` }),
    ],
  ])('each version that %s names has its own', async (_, versioning, headers) => {
    const modules = [CacheModule.forRoot(), OrdersModule, HttpCacheModule.forRoot()];
    await using app = await bootHttp(adapter, modules, { setUp: made => void made.enableVersioning(versioning) });
    for (const expected of [
      { version: '1', call: 1 },
      { version: '2', call: 2 },
    ])
      for (const _again of [1, 2]) {
        const response = await app.fetch('/orders', { headers: headers(Number(expected.version)) });
        expect(await response.json()).toEqual(expected);
        if (versioning.type !== VersioningType.CUSTOM)
          expect(response.headers.get('vary')).toContain(Object.keys(headers(1))[0]);
      }
  });
});
