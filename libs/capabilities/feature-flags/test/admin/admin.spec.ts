import { type CanActivate, type ExecutionContext, Injectable, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ContextModule } from '@core-infra/context';
import { createOpenApiDocument, HttpModule } from '@core-infra/http';
import { RequestContext } from '@core-infra/kernel';
import { RedisModule } from '@core-infra/redis';
import { bootHttp, type HttpAdapter, httpAdapters, type HttpApp, uniqueName, useRedis } from '@core-infra/testing';
import {
  FeatureFlags,
  FeatureFlagsAdminModule,
  type FeatureFlagsAdminOptions,
  FeatureFlagsModule,
  type FeatureFlagsOptions,
} from '@core-infra/feature-flags';

/** Lets in whoever says that they are somebody. */
@Injectable()
class AdminGuard implements CanActivate {
  constructor(private readonly context: RequestContext) {}

  canActivate(call: ExecutionContext): boolean {
    const { headers } = call.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    this.context.set({ userId: headers['x-admin'] });
    return headers['x-admin'] !== undefined;
  }
}

const on = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };

const redis = useRedis();

describe.each(httpAdapters)('the admin module on %s', adapter => {
  let app: HttpApp;
  beforeEach(async () => {
    app = await boot(adapter, { driver: 'redis', redis: { key: uniqueName('flags'), snapshotFile: '' } });
  });
  afterEach(() => app.close());

  const call = async (method: string, path = '', body?: unknown, headers: Record<string, string> = {}) => {
    const response = await app.fetch(`/admin/flags${path}`, {
      method,
      headers: { 'x-admin': 'ann', ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, etag: response.headers.get('etag'), body: (await response.json()) as any };
  };

  it('creates, shows, changes and removes a flag, and what it changes is in force', async () => {
    const flags = app.get(FeatureFlags);
    expect(await call('PUT', '/banner', on)).toEqual({
      status: 200,
      etag: '"1"',
      body: { version: 1, flag: 'banner', from: null, to: on },
    });
    expect(flags.isEnabled('banner' as never)).toBe(true);
    expect(await call('GET', '/banner')).toEqual({
      status: 200,
      etag: '"1"',
      body: { version: 1, flag: 'banner', source: 'store', definition: on },
    });
    expect(await call('PATCH', '/banner', { state: 'DISABLED' })).toMatchObject({ status: 200, etag: '"2"' });
    expect(flags.isEnabled('banner' as never)).toBe(false);
    expect(await call('PATCH', '/banner', { state: 'ENABLED', rollout: 100 })).toMatchObject({
      status: 200,
      body: { to: { state: 'ENABLED', defaultVariant: 'off', targeting: { fractional: expect.anything() } } },
    });
    expect(flags.isEnabled('banner' as never, { targetingKey: 'u1' })).toBe(true);
    expect(await call('PATCH', '/banner', { defaultVariant: 'on' })).toMatchObject({ status: 200, etag: '"4"' });
    expect(await call('DELETE', '/banner')).toMatchObject({ status: 200, body: { version: 5, to: null } });
    expect(await call('GET', '/banner')).toMatchObject({ status: 404, body: { error_code: 'INFRA_FLAGS_UNKNOWN' } });
    expect(await call('GET', '/banner/history?limit=2')).toMatchObject({
      status: 200,
      body: {
        entries: [
          { version: 5, by: 'ann', to: null },
          { version: 4, by: 'ann' },
        ],
      },
    });
  });

  it('lists the flags of the store and of the configuration', async () => {
    await call('PUT', '/banner', on);
    expect(await call('GET')).toMatchObject({
      status: 200,
      etag: '"1"',
      body: {
        version: 1,
        flags: [
          { flag: 'banner', source: 'store' },
          { flag: 'checkout', source: 'configuration', definition: { defaultVariant: 'on' } },
        ],
      },
    });
    expect(await call('DELETE', '/checkout')).toMatchObject({ status: 422, body: { error_code: 'INFRA_FLAGS_EDIT' } });
    expect(await call('PATCH', '/checkout', { state: 'DISABLED' })).toMatchObject({ status: 200 });
    expect(app.get(FeatureFlags).isEnabled('checkout' as never)).toBe(false);
  });

  it('changes nothing on top of a version that is no longer the newest', async () => {
    await call('PUT', '/banner', on, { 'if-match': '"0"' });
    await call('PUT', '/other', on, { 'if-match': '"1"' });
    expect(await call('PATCH', '/banner', { state: 'DISABLED' }, { 'if-match': '"1"' })).toMatchObject({
      status: 412,
      body: { success: false, error_code: 'INFRA_FLAGS_PRECONDITION', details: { flag: 'banner', found: 2 } },
    });
    expect(await call('DELETE', '/banner', undefined, { 'if-match': 'mine' })).toMatchObject({ status: 422 });
    expect(await call('GET', '/banner')).toMatchObject({ body: { version: 2, definition: on } });
    expect(await call('PATCH', '/banner', { state: 'DISABLED' }, { 'if-match': '*' })).toMatchObject({ status: 200 });
  });

  it.each([
    ['PUT', '/a', { ...on, state: 'MAYBE' }, 422, 'INFRA_FLAGS_INVALID'],
    ['PUT', '/a', [], 422, 'INFRA_FLAGS_EDIT'],
    ['PUT', '/a%20b', on, 422, 'INFRA_FLAGS_'],
    ['PUT', '/a%0Ab', on, 422, 'INFRA_FLAGS_'],
    ['PATCH', '/checkout', { rollout: 101 }, 422, 'INFRA_FLAGS_EDIT'],
    ['PATCH', '/checkout', { rollout: '20' }, 422, 'INFRA_FLAGS_EDIT'],
    ['PATCH', '/checkout', { color: 'red' }, 422, 'INFRA_FLAGS_EDIT'],
    ['PATCH', '/checkout', { defaultVariant: 'purple' }, 422, 'INFRA_FLAGS_EDIT'],
    ['PATCH', '/checkout', {}, 422, 'INFRA_FLAGS_EDIT'],
    ['PATCH', '/chekout', { state: 'ENABLED' }, 404, 'INFRA_FLAGS_UNKNOWN'],
    ['GET', '/checkout/history?limit=0', undefined, 422, 'INFRA_FLAGS_EDIT'],
  ])('refuses %s %s %j with %i', async (method, path, body, status, code) => {
    expect(await call(method, path, body)).toMatchObject({
      status,
      body: { success: false, error_code: expect.stringContaining(code) },
    });
    expect(await call('GET')).toMatchObject({ body: { version: 0 } });
  });

  it('moves the percentage behind the rules of a flag, and refuses one that would take their place', async () => {
    const rule = { in: [{ var: 'email' }, ['a@b.c']] };
    await call('PUT', '/beta', { ...on, targeting: { if: [rule, 'on'] } });
    expect(await call('PATCH', '/beta', { rollout: 5 })).toMatchObject({
      status: 200,
      body: {
        to: {
          targeting: {
            if: [
              rule,
              'on',
              {
                fractional: [
                  ['on', 5],
                  ['off', 95],
                ],
              },
            ],
          },
        },
      },
    });
    await call('PUT', '/alpha', {
      ...on,
      variants: { true: true, false: false },
      defaultVariant: 'false',
      targeting: rule,
    });
    expect(await call('PATCH', '/alpha', { rollout: 5 })).toMatchObject({
      status: 422,
      body: { error_code: 'INFRA_FLAGS_EDIT' },
    });
  });

  it('takes who it is from the request’s context, never from the caller’s words', async () => {
    await call('PUT', '/banner', on, { 'x-admin': 'bob' });
    await call('PATCH', '/banner', { state: 'DISABLED', by: 'somebody else' });
    expect((await call('GET', '/banner/history')).body.entries).toMatchObject([{ by: 'bob' }]);
  });

  it('lets nobody in whom the guard does not', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/checkout'],
      ['PUT', '/checkout'],
      ['PATCH', '/checkout'],
      ['DELETE', '/checkout'],
      ['GET', '/checkout/history'],
    ] as const)
      expect((await app.fetch(`/admin/flags${path}`, { method })).status).toBe(403);
  });

  it('is in the OpenAPI document', async () => {
    const { paths } = await createOpenApiDocument(app);
    const one = paths['/admin/flags/{flag}']!;
    expect(Object.keys(one).sort()).toEqual(['delete', 'get', 'patch', 'put']);
    expect(one.put).toMatchObject({
      summary: 'Creates a flag, or defines it anew',
      tags: ['Feature flags'],
      parameters: expect.arrayContaining([expect.objectContaining({ in: 'header', name: 'If-Match' })]),
      requestBody: {
        content: { 'application/json': { schema: expect.objectContaining({ required: ['state', 'variants'] }) } },
      },
      responses: { 412: { description: expect.stringContaining('INFRA_FLAGS_PRECONDITION') } },
    });
  });

  it('is not there unless it is mounted', async () => {
    await using bare = await bootHttp(adapter, [FeatureFlagsModule.forRoot({})]);
    expect((await bare.fetch('/admin/flags')).status).toBe(404);
  });

  it('shows the flags of the configuration where nothing is stored, and names the way to change them', async () => {
    await app.close();
    app = await boot(adapter, {});
    expect(await call('GET')).toMatchObject({ status: 200, body: { flags: [{ flag: 'checkout' }] } });
    expect(await call('PATCH', '/checkout', { state: 'DISABLED' })).toMatchObject({
      status: 409,
      body: { error_code: 'INFRA_FLAGS_READ_ONLY', details: { driver: 'memory' } },
    });
  });

  it('may be guarded by a guard of the whole app, if there is one', async () => {
    await using guarded = await boot(adapter, {}, { guards: 'global', path: 'ops/flags' }, true);
    expect((await guarded.fetch('/ops/flags')).status).toBe(403);
    expect((await guarded.fetch('/ops/flags', { headers: { 'x-admin': 'ann' } })).status).toBe(200);
    await expect(boot(adapter, {}, { guards: 'global' })).rejects.toMatchObject({
      code: 'INFRA_FLAGS_ADMIN_UNGUARDED',
    });
  });
});

it.each([[{ guards: [] }], [{}], [undefined]])('cannot be mounted without a guard: %j', options => {
  expect(() => FeatureFlagsAdminModule.forRoot(options as FeatureFlagsAdminOptions)).toThrow(
    expect.objectContaining({
      code: 'INFRA_FLAGS_ADMIN_UNGUARDED',
      fix: expect.stringContaining('guards: [AdminGuard]'),
    }),
  );
});

function boot(
  adapter: HttpAdapter,
  flags: FeatureFlagsOptions,
  admin: FeatureFlagsAdminOptions = { guards: [AdminGuard] },
  globally = false,
): Promise<HttpApp> {
  @Module({ providers: globally ? [{ provide: APP_GUARD, useClass: AdminGuard }] : [] })
  class GuardModule {}
  return bootHttp(adapter, [
    ContextModule.forRoot(),
    RedisModule.forRoot({ url: redis.url }),
    HttpModule.forRoot(),
    FeatureFlagsModule.forRoot({ flags: { checkout: true }, ...flags }),
    FeatureFlagsAdminModule.forRoot(admin),
    GuardModule,
  ]);
}
