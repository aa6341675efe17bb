import { bootHttp, bootInfra, eventually, type HttpAdapter, httpAdapters, useRedis } from '@core-infra/testing';
import { CacheResponse, HttpCache, HttpCacheModule, InvalidResponseCacheError } from '../../src/index.js';
import { caches } from '../support/caches.js';
import { served, ShopModule, UsersModule } from '../support/shop.js';

const redis = useRedis();
const onBoth = httpAdapters.flatMap(adapter => caches.map(([driver, modules]) => ({ adapter, driver, modules })));

describe.each(onBoth)('answers on $adapter, cache driver $driver', ({ adapter, modules }) => {
  const boot = (options = {}, as: HttpAdapter = adapter) =>
    bootHttp(as, [...modules(redis.url), UsersModule, ShopModule, HttpCacheModule.forRoot(options)]);
  type App = Awaited<ReturnType<typeof boot>>;

  beforeEach(() => {
    served.calls = 0;
  });

  /** The second answer, once what the first one stored is there. */
  const hit = (app: App, path: string, init?: RequestInit) =>
    eventually(async () => {
      const response = await app.fetch(path, init);
      expect(response.headers.get('cache-status')).toMatch(/; hit; ttl=\d+$/);
      return response;
    });

  it('serves what it has sent, envelope and all, with its validators', async () => {
    await using app = await boot();
    const first = await app.fetch('/shop/items/7?b=2&a=1');
    expect(first.headers.get('cache-control')).toBe('public, max-age=60, stale-while-revalidate=5');
    expect(first.headers.get('cache-status')).toBe('app; fwd=miss; stored');
    expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const body: unknown = await first.json();
    expect(body).toEqual({ data: { id: '7', calls: 1, query: { a: '1', b: '2' } } });
    const second = await hit(app, '/shop/items/7?a=1&b=2');
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(second.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await second.json()).toEqual(body);
    const other = (await (await app.fetch('/shop/items/7?a=2&b=2')).json()) as { data: { query: object } };
    expect(other.data.query).toEqual({ a: '2', b: '2' });
  });

  it('answers 304 to an ETag, made anew or from the cache, without a body', async () => {
    await using app = await boot();
    const first = await app.fetch('/shop/items/1');
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^W\/"/);
    await hit(app, '/shop/items/1');
    for (const value of [etag, `"other", ${etag}`, '*', etag.slice(2)]) {
      const second = await app.fetch('/shop/items/1', { headers: { 'If-None-Match': value } });
      expect(second.status).toBe(304);
      expect(await second.text()).toBe('');
      expect(second.headers.get('etag')).toBe(etag);
      expect(second.headers.get('cache-control')).toContain('max-age=60');
    }
    const changed = await app.fetch('/shop/items/1', { headers: { 'If-None-Match': 'W/"other"' } });
    expect(changed.status).toBe(200);
  });

  it('answers HEAD from what GET stored', async () => {
    await using app = await boot();
    await app.fetch('/shop/items/1');
    await hit(app, '/shop/items/1');
    const head = await app.fetch('/shop/items/1', { method: 'HEAD' });
    expect(head.headers.get('cache-status')).toMatch(/hit/);
    expect(await head.text()).toBe('');
  });

  it('keeps text and bytes with the headers of their handler', async () => {
    await using app = await boot();
    const german = { headers: { 'Accept-Language': 'de', Cookie: 'theme=dark' } };
    const first = await app.fetch('/shop/texts', german);
    expect(first.headers.get('etag')).toMatch(/^"/);
    expect(first.headers.get('vary')).toContain('Accept-Language');
    expect(first.headers.get('cache-control')).toBe('public, max-age=0');
    const second = await hit(app, '/shop/texts', german);
    expect(second.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(second.headers.get('x-rows')).toBe('2');
    expect(await second.text()).toBe('a,b\n1,2');
    expect(await (await app.fetch('/shop/texts', { headers: { 'Accept-Language': 'fr' } })).text()).toBe('a,b\n2,2');
    await app.fetch('/shop/bytes');
    const bytes = await hit(app, '/shop/bytes');
    // Nest's adapter for Express sends a Buffer as JSON.
    const sent = adapter === 'fastify' ? Buffer.from([0, 255, 3]) : Buffer.from('{"type":"Buffer","data":[0,255,3]}');
    expect(Buffer.from(await bytes.arrayBuffer())).toEqual(sent);
    expect(bytes.headers.get('content-type')).toContain('application/octet-stream');
  });

  it('never has what a serialiser leaves out', async () => {
    await using app = await boot();
    expect(await (await app.fetch('/shop/user')).json()).toEqual({ name: 'Ann' });
    expect(await (await hit(app, '/shop/user')).json()).toEqual({ name: 'Ann' });
  });

  it('neither keeps nor serves an answer to a request that carries credentials', async () => {
    await using app = await boot();
    for (const headers of [{ Authorization: 'Bearer x' }, { Cookie: 'sid=1' }] as Record<string, string>[]) {
      await app.fetch('/shop/items/1', { headers });
      const second = await app.fetch('/shop/items/1', { headers });
      expect(second.headers.get('cache-status')).toBeNull();
    }
    expect(served.calls).toBe(4);
    await app.fetch('/shop/items/1');
    expect(served.calls).toBe(5);
  });

  it('keeps one answer for each user, behind the guard, and not in proxies', async () => {
    await using app = await boot();
    const as = (user: string) => ({ headers: { Authorization: user } });
    const first = await app.fetch('/shop/mine', as('ann'));
    expect(first.headers.get('cache-control')).toBe('private, max-age=60');
    expect(first.headers.get('vary')).toContain('Authorization, Cookie');
    expect(await (await hit(app, '/shop/mine', as('ann'))).json()).toEqual({ user: 'ann', calls: 1 });
    expect(await (await app.fetch('/shop/mine', as('bob'))).json()).toEqual({ user: 'bob', calls: 2 });
    expect(await (await app.fetch('/shop/mine')).json()).toEqual({ user: 'nobody', calls: 3 });
    expect((await app.fetch('/shop/mine', as('banned'))).status).toBe(403);
  });

  it.each(['fails', 'accepted', 'cookie', 'own', 'stream'])('does not keep an answer of /%s', async path => {
    await using app = await boot();
    for (const _request of [1, 2, 3]) {
      const response = await app.fetch(`/shop/${path}`);
      expect(response.headers.get('cache-status')).toBeNull();
      await response.arrayBuffer();
    }
    expect(served.calls).toBe(3);
  });

  it('does not keep events, and sends all of them', async () => {
    await using app = await boot();
    for (const call of [1, 2]) {
      const text = await (await app.fetch('/shop/events')).text();
      expect(text).toContain('data: one');
      expect(text).toContain(`data: two ${call}`);
    }
  });

  it('does not keep an answer to POST', async () => {
    await using app = await boot();
    await app.fetch('/shop/items/1', { method: 'POST' });
    await app.fetch('/shop/items/1', { method: 'POST' });
    expect(served.calls).toBe(2);
  });

  it('makes no answer of its own of a parameter that does not matter', async () => {
    await using app = await boot();
    await app.fetch('/shop/list?page=2&utm=a');
    expect(await (await hit(app, '/shop/list?utm=b&page=2')).json()).toEqual({ page: '2', calls: 1 });
  });

  it('forgets an answer at the end of its time, and by path and tag', async () => {
    await using app = await boot();
    await app.fetch('/shop/short');
    await eventually(async () => {
      await app.fetch('/shop/short');
      expect(served.calls).toBeGreaterThan(1);
    });
    served.calls = 0;
    const http = app.get(HttpCache);
    for (const path of ['/shop/items/1', '/shop/items/12', '/shop/tagged']) {
      await app.fetch(path);
      await hit(app, path);
    }
    await http.evictPath('/shop/items/1');
    await http.evictTags('shop');
    expect((await app.fetch('/shop/items/1')).headers.get('cache-status')).toContain('miss');
    expect((await app.fetch('/shop/tagged')).headers.get('cache-status')).toContain('miss');
    expect((await app.fetch('/shop/items/12')).headers.get('cache-status')).toContain('hit');
  });

  it('heeds a request that wants none of it, where that is allowed', async () => {
    await using app = await boot({ honourRequest: true });
    await app.fetch('/shop/list', { headers: { 'Cache-Control': 'no-store' } });
    expect((await app.fetch('/shop/list')).headers.get('cache-status')).toContain('fwd=miss; stored');
    await hit(app, '/shop/list');
    const anew = await app.fetch('/shop/list', { headers: { 'Cache-Control': 'no-cache' } });
    expect(anew.headers.get('cache-status')).toContain('fwd=miss');
    await using strict = await boot();
    await strict.fetch('/shop/list');
    await hit(strict, '/shop/list', { headers: { 'Cache-Control': 'no-cache' } });
  });

  it('does nothing when it is switched off', async () => {
    await using app = await boot({ enabled: false });
    await app.fetch('/shop/items/1');
    const second = await app.fetch('/shop/items/1');
    expect(second.headers.get('cache-status')).toBeNull();
    expect(served.calls).toBe(2);
  });
});

describe('what cannot work', () => {
  it('is an error at the boot without HttpCacheModule, which is named', async () => {
    await expect(bootInfra(...caches[0]![1](''), ShopModule)).rejects.toThrow(/NeedsHttpCacheModule/);
  });

  it('is an error at once for options that contradict each other', () => {
    expect(() => CacheResponse({ ttlMs: -1 })).toThrow(InvalidResponseCacheError);
    expect(() => CacheResponse({ ttlMs: 1, sameForAll: true, varyBy: ['user'] })).toThrow(InvalidResponseCacheError);
  });
});
