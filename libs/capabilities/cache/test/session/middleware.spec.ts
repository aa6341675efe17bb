import cookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import {
  bootHttp,
  eventually,
  type HttpAdapter,
  httpAdapters,
  type HttpApp,
  type Importable,
  uniqueName,
  useRedis,
  useRedisServer,
} from '@core-infra/testing';
import { getRedisToken, type RedisClient, RedisModule } from '@core-infra/redis';
import { Controller, Get, Module, Post, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import session from 'express-session';
import { promisify } from 'node:util';
import {
  CacheModule,
  expressSessionStore,
  fastifySessionStore,
  newSessionId,
  Sessions,
  SessionsModule,
} from '../../src/index.js';

interface Visits {
  visits?: number;
  user?: string;
  regenerate(callback: (error?: unknown) => void): void;
  destroy(callback: (error?: unknown) => void): void;
}

interface WithSession {
  session?: Visits;
}

@Controller()
class VisitsController {
  @Get('visit')
  visit(@Req() request: WithSession): object {
    if (!request.session) return { away: true };
    request.session.visits = (request.session.visits ?? 0) + 1;
    return { visits: request.session.visits, user: request.session.user };
  }

  @Get('whoami')
  whoami(@Req() request: WithSession): object {
    return { user: request.session?.user };
  }

  @Post('login')
  async login(@Req() request: WithSession): Promise<object> {
    await promisify(request.session!.regenerate.bind(request.session))();
    request.session!.user = 'ann';
    return { user: 'ann' };
  }

  @Post('logout')
  async logout(@Req() request: WithSession): Promise<object> {
    await promisify(request.session!.destroy.bind(request.session))();
    return {};
  }
}

@Module({ controllers: [VisitsController] })
class VisitsModule {}

const secret = 'a secret of at least thirty-two characters';
const idFrom = { genid: newSessionId };

async function boot(adapter: HttpAdapter, modules: Importable[], options: object = {}): Promise<HttpApp> {
  return bootHttp(adapter, [...modules, VisitsModule], {
    setUp: async app => {
      const sessions = app.get(Sessions);
      if (adapter === 'express') {
        const store = expressSessionStore(session.Store, sessions);
        app.use(
          session({
            secret,
            store,
            resave: false,
            saveUninitialized: false,
            cookie: { maxAge: 60_000 },
            ...idFrom,
            ...options,
          }),
        );
        return;
      }
      const fastify = app as unknown as NestFastifyApplication;
      await fastify.register(cookie as never);
      await fastify.register(
        fastifySession as never,
        {
          secret,
          store: fastifySessionStore(sessions),
          saveUninitialized: false,
          idGenerator: newSessionId,
          cookie: { secure: false, maxAge: 60_000 },
          ...options,
        } as never,
      );
    },
  });
}

/** A browser with one cookie. */
function browser() {
  let jar: string | undefined;
  return {
    get cookie() {
      return jar;
    },
    set cookie(value) {
      jar = value;
    },
    async fetch(app: HttpApp, path: string, method = 'GET'): Promise<Record<string, unknown> & { status: number }> {
      const response = await app.fetch(path, { method, headers: jar ? { Cookie: jar } : {} });
      const [set] = response.headers.getSetCookie();
      if (set) jar = set.split(';', 1)[0];
      return { status: response.status, ...((await response.json()) as object) };
    },
  };
}

const redis = useRedis();

describe.each(httpAdapters)('session middleware on %s', adapter => {
  const inRedis = (url: string, keyPrefix: string) => [
    RedisModule.forRoot({ url, startup: 'require' }),
    SessionsModule.forRoot({ driver: 'redis', keyPrefix, commandTimeoutMs: 300 }),
  ];

  it.each<[string, () => Importable[]]>([
    ['cache', () => [CacheModule.forRoot(), SessionsModule.forRoot()]],
    ['redis', () => inRedis(redis.url, uniqueName('sessions'))],
  ])('keeps a session in %s', async (_, modules) => {
    await using app = await boot(adapter, modules());
    const ann = browser();
    const bob = browser();
    expect(await ann.fetch(app, '/visit')).toEqual({ status: 200, visits: 1 });
    expect(await ann.fetch(app, '/visit')).toEqual({ status: 200, visits: 2 });
    expect(await bob.fetch(app, '/visit')).toEqual({ status: 200, visits: 1 });
  });

  it('gives a new id at login, and the old one is worth nothing in any process', async () => {
    const keyPrefix = uniqueName('sessions');
    await using first = await boot(adapter, inRedis(redis.url, keyPrefix));
    await using second = await boot(adapter, inRedis(redis.url, keyPrefix));
    const ann = browser();
    await ann.fetch(first, '/visit');
    const before = ann.cookie;
    await ann.fetch(second, '/login', 'POST');
    expect(ann.cookie).not.toBe(before);
    expect(await ann.fetch(first, '/visit')).toEqual({ status: 200, visits: 1, user: 'ann' });

    const thief = browser();
    thief.cookie = before;
    for (const app of [first, second]) expect((await thief.fetch(app, '/visit')).user).toBeUndefined();
  });

  it('ends in every process at logout', async () => {
    const keyPrefix = uniqueName('sessions');
    await using first = await boot(adapter, inRedis(redis.url, keyPrefix));
    await using second = await boot(adapter, inRedis(redis.url, keyPrefix));
    const ann = browser();
    await ann.fetch(first, '/login', 'POST');
    expect((await ann.fetch(second, '/visit')).user).toBe('ann');
    const held = ann.cookie;
    await ann.fetch(first, '/logout', 'POST');
    for (const app of [first, second]) {
      const again = browser();
      again.cookie = held;
      expect((await again.fetch(app, '/visit')).user).toBeUndefined();
    }
  });

  it('lasts as long as its cookie, also where that is longer than sessions.ttlMs', async () => {
    const keyPrefix = uniqueName('sessions');
    const modules = [
      RedisModule.forRoot({ url: redis.url, startup: 'require' }),
      SessionsModule.forRoot({ driver: 'redis', keyPrefix, ttlMs: 1_000 }),
    ];
    await using app = await boot(adapter, modules, { rolling: false });
    const ann = browser();
    await ann.fetch(app, '/login', 'POST');
    const client = app.get<RedisClient>(getRedisToken());
    const keys = await client.keys(`${keyPrefix}:*`);
    const left = async () => Math.max(...(await Promise.all(keys.map(key => client.pttl(key)))));
    expect(await left()).toBeGreaterThan(30_000);
    expect((await ann.fetch(app, '/whoami')).user).toBe('ann');
    expect(await left()).toBeGreaterThan(30_000);
  });

  describe('while Redis is away', () => {
    const own = useRedisServer();

    it('requests have no session, the cookie is left alone, and the session is there again afterwards', async () => {
      await using app = await boot(adapter, inRedis(own.url, 'sessions'));
      const ann = browser();
      await ann.fetch(app, '/login', 'POST');
      const held = ann.cookie;
      await own.kill('SIGSTOP');
      // express-session has nothing but an error for the request that finds out.
      if (adapter === 'express') expect((await ann.fetch(app, '/whoami')).status).toBe(503);
      for (const _again of [1, 2]) expect(await ann.fetch(app, '/whoami')).toEqual({ status: 200 });
      expect(await browser().fetch(app, '/whoami')).toEqual({ status: 200 });
      const written = await ann.fetch(app, '/visit');
      if (adapter === 'express') expect(written).toEqual({ status: 200, away: true });
      else expect(written).toMatchObject({ status: 503, message: 'Sessions are not available at present.' });
      expect(ann.cookie?.split('.')[0]).toBe(held?.split('.')[0]);
      if (adapter === 'fastify') expect((await ann.fetch(app, '/logout', 'POST')).status).toBe(503);
      await own.kill('SIGCONT');
      await eventually(async () => expect(await ann.fetch(app, '/whoami')).toEqual({ status: 200, user: 'ann' }));
      expect(ann.cookie?.split('.')[0]).toBe(held?.split('.')[0]);
    });
  });
});
