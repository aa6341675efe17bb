import { bootHttp, eventually, httpAdapters, uniqueName, useRedis } from '@core-infra/testing';
import {
  BadGatewayException,
  type CanActivate,
  Controller,
  ForbiddenException,
  Get,
  Module,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { CacheModule, CacheResponse, HttpCache, HttpCacheModule } from '../../src/index.js';
import { caches } from '../support/caches.js';
import { deferred } from '../support/deferred.js';

interface AnyResponse {
  header(name: string, value: string): unknown;
}

let arrived = 0;
let calls = 0;
let gate = deferred<void>();

/** Every request has been here before it asks the cache. */
class Counted implements CanActivate {
  canActivate(): boolean {
    arrived += 1;
    return true;
  }
}

/** Handlers that answer once the spec lets them. */
@Controller('slow')
@UseGuards(Counted)
class SlowController {
  @Get('report')
  @CacheResponse({ ttlMs: 60_000, tags: ['reports'] })
  async report(): Promise<object> {
    const call = (calls += 1);
    await gate.promise;
    return { call };
  }

  @Get('welcome')
  @CacheResponse({ ttlMs: 60_000 })
  async welcome(@Res({ passthrough: true }) response: AnyResponse): Promise<object> {
    const call = (calls += 1);
    await gate.promise;
    response.header('Set-Cookie', `sid=${call}`);
    return { call };
  }

  @Get('failing')
  @CacheResponse({ ttlMs: 60_000 })
  async failing(): Promise<object> {
    calls += 1;
    await gate.promise;
    throw new BadGatewayException();
  }

  @Get('own')
  @CacheResponse({ ttlMs: 60_000, sameForAll: true })
  async own(@Req() asked: { headers: Record<string, string> }): Promise<object> {
    calls += 1;
    await gate.promise;
    if (asked.headers['authorization'] !== 'ann') throw new ForbiddenException();
    return { for: 'whoever may see it' };
  }
}

@Module({ controllers: [SlowController] })
class SlowModule {}

const redis = useRedis();
const onBoth = httpAdapters.flatMap(adapter => caches.map(([driver, modules]) => ({ adapter, driver, modules })));

describe.each(onBoth)('concurrent requests on $adapter, cache driver $driver', ({ adapter, driver, modules }) => {
  const boot = (keyPrefix = uniqueName('cache')) =>
    bootHttp(adapter, [...modules(redis.url, keyPrefix), SlowModule, HttpCacheModule.forRoot()]);
  type App = Awaited<ReturnType<typeof boot>>;

  beforeEach(() => {
    arrived = 0;
    calls = 0;
    gate = deferred<void>();
  });

  const get = (app: App, path: string, times: number) => Array.from({ length: times }, () => app.fetch(path));

  /** As behind a proxy: with the ports of the processes, each would have a host of its own. */
  const ofOneHost = async (app: App, path: string) => {
    const asked = request(app.url + path, { headers: { Host: 'shop.test' } }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    await answer.resume().toArray();
    return answer.statusCode;
  };

  const all = async (answers: Promise<Response>[]) => {
    await eventually(() => expect(arrived).toBe(answers.length));
    gate.resolve();
    return Promise.all(answers);
  };

  it('run the handler once, and get its one answer', async () => {
    await using app = await boot();
    const answers = await all(get(app, '/slow/report', 30));
    expect(calls).toBe(1);
    for (const answer of answers) {
      expect(answer.headers.get('etag')).toBe(answers[0]!.headers.get('etag'));
      expect(await answer.json()).toEqual({ call: 1 });
    }
    const states = answers.map(answer => answer.headers.get('cache-status'));
    expect(states.filter(state => state === 'app; fwd=miss; stored')).toHaveLength(1);
    expect(states.filter(state => state === 'app; fwd=miss; collapsed')).toHaveLength(29);
  });

  it('of two processes run the handler once, where they share Redis', async () => {
    const keyPrefix = uniqueName('cache');
    await using first = await boot(keyPrefix);
    await using second = await boot(keyPrefix);
    const asked = [first, second].flatMap(app => Array.from({ length: 10 }, () => ofOneHost(app, '/slow/report')));
    await eventually(() => expect(arrived).toBe(asked.length));
    gate.resolve();
    for (const status of await Promise.all(asked)) expect(status).toBe(200);
    expect(calls).toBe(driver === 'redis' ? 1 : 2);
  });

  it('do not get an answer that a cookie makes somebody’s own, nor wait for one another afterwards', async () => {
    await using app = await boot();
    const bodies = (await all(get(app, '/slow/welcome', 5))).map(async answer => {
      const { call } = (await answer.json()) as { call: number };
      expect(answer.headers.getSetCookie()).toEqual([`sid=${call}`]);
      return call;
    });
    expect(new Set(await Promise.all(bodies)).size).toBe(5);
    gate = deferred<void>();
    const later = get(app, '/slow/welcome', 5);
    await eventually(() => expect(calls).toBe(10));
    gate.resolve();
    for (const answer of later) expect((await answer).status).toBe(200);
  });

  it('get the answer of one who has gone away meanwhile', async () => {
    await using app = await boot();
    const impatient = new AbortController();
    const first = app.fetch('/slow/report', { signal: impatient.signal });
    await eventually(() => expect(calls).toBe(1));
    const second = app.fetch('/slow/report');
    await eventually(() => expect(arrived).toBe(2));
    impatient.abort();
    await expect(first).rejects.toThrow('abort');
    gate.resolve();
    expect(await (await second).json()).toEqual({ call: 1 });
    expect(await (await app.fetch('/slow/report')).json()).toEqual({ call: 1 });
  });

  it('share a failure, which is not kept', async () => {
    await using app = await boot();
    for (const answer of await all(get(app, '/slow/failing', 10))) expect(answer.status).toBe(502);
    expect(calls).toBe(1);
    await app.fetch('/slow/failing');
    expect(calls).toBe(2);
  });

  it('do not share the refusal of one who may not see it', async () => {
    await using app = await boot();
    const banned = app.fetch('/slow/own', { headers: { Authorization: 'bob' } });
    await eventually(() => expect(calls).toBe(1));
    const ann = app.fetch('/slow/own', { headers: { Authorization: 'ann' } });
    await eventually(() => expect(arrived).toBe(2));
    gate.resolve();
    expect((await banned).status).toBe(403);
    expect((await ann).status).toBe(200);
  });

  it.each(['evictPath', 'evictTags'] as const)('after %s do not get what was made before it', async evict => {
    await using app = await boot();
    const before = app.fetch('/slow/report');
    await eventually(() => expect(calls).toBe(1));
    await app.get(HttpCache)[evict](evict === 'evictPath' ? '/slow/report' : 'reports');
    gate.resolve();
    expect(await (await before).json()).toEqual({ call: 1 });
    expect(await (await app.fetch('/slow/report')).json()).toEqual({ call: 2 });
  });
});

describe.each(httpAdapters)('an answer that takes longer than hardTimeoutMs, on %s', adapter => {
  it('is still the one of who asked first, and who waited for it asks by itself', async () => {
    arrived = 0;
    calls = 0;
    gate = deferred<void>();
    const modules = [CacheModule.forRoot({ hardTimeoutMs: 50 }), SlowModule, HttpCacheModule.forRoot()];
    await using app = await bootHttp(adapter, modules);
    const answers = [app.fetch('/slow/report'), app.fetch('/slow/report')];
    await eventually(() => expect(calls).toBe(2));
    gate.resolve();
    const bodies = await Promise.all(answers.map(async answer => (await answer).json()));
    expect(bodies).toEqual(expect.arrayContaining([{ call: 1 }, { call: 2 }]));
  });
});
