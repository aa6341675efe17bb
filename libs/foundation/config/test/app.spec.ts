import { hostname } from 'node:os';
import { Injectable, Module } from '@nestjs/common';
import { AppInfo } from '@core-infra/kernel';
import { bootInfra } from '@core-infra/testing';
import { AppConfig, ConfigModule, DevelopmentConfig } from '@core-infra/config';
import { StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

async function info(options: Parameters<Workspace['boot']>[0], files: Record<string, string> = {}): Promise<AppInfo> {
  using space = new Workspace({ 'package.json': '{ "name": "@acme/shop", "version": "1.2.3" }', ...files });
  await using app = await space.boot(options);
  return app.get(AppInfo);
}

describe('the section app', () => {
  it('has name and version of the nearest package.json, the host, and development', async () => {
    expect({ ...(await info({})) }).toEqual({
      name: 'shop',
      version: '1.2.3',
      instance: hostname(),
      environment: 'development',
      debug: false,
    });
  });

  it('prefers the package.json and the name of an app of a monorepo', async () => {
    const files = { 'apps/orders/package.json': '{ "version": "4.5.6" }' };
    expect(await info({ app: 'orders' }, files)).toMatchObject({ name: 'orders', version: '4.5.6' });
  });

  it.each([
    [
      { APP_NAME: 'a', APP_VERSION: '9', APP_INSTANCE: 'i' },
      { name: 'a', version: '9', instance: 'i' },
    ],
    [
      { OTEL_SERVICE_NAME: 'b', OTEL_SERVICE_VERSION: '8' },
      { name: 'b', version: '8' },
    ],
    [{ NODE_ENV: 'dev' }, { environment: 'development' }],
    [{ NODE_ENV: 'PROD' }, { environment: 'production' }],
    [{ ENVIRONMENT: 'staging' }, { environment: 'staging' }],
    [{ NODE_ENV: 'prod', ENVIRONMENT: 'production' }, { environment: 'production' }],
    [{ DEVELOPMENT_DEBUG: 'true' }, { debug: true }],
  ])('reads %p', async (env, expected) => {
    expect(await info({ env })).toMatchObject(expected);
  });

  it('picks the environment by code over flags over environment over .env', async () => {
    const files = { '.env': 'NODE_ENV=test' };
    expect((await info({}, files)).environment).toBe('test');
    expect((await info({ env: { ENVIRONMENT: 'staging' } }, files)).environment).toBe('staging');
    expect((await info({ env: { NODE_ENV: 'staging' }, argv: ['--app.environment=prod'] })).environment).toBe(
      'production',
    );
    expect((await info({ argv: ['--app.environment=prod'], environment: 'test' })).environment).toBe('test');
  });

  it('refuses an unknown environment, a contradiction, one from a file, and debug in production', async () => {
    using space = new Workspace();
    expect(await space.problems({ env: { NODE_ENV: 'qa' } })).toMatchObject([
      { key: 'app.environment', source: 'env NODE_ENV', got: '"qa"' },
    ]);
    expect(await space.problems({ env: { NODE_ENV: 'test', ENVIRONMENT: 'prod' } })).toMatchObject([
      { key: 'app.environment', source: 'env NODE_ENV and env ENVIRONMENT' },
    ]);
    space.write('config/default.yaml', 'app: { environment: staging }');
    expect(await space.problems({})).toMatchObject([{ key: 'app.environment', source: 'config/default.yaml:1' }]);
    space.write('config/default.yaml', 'development: { debug: true }');
    expect(await space.problems({ env: { NODE_ENV: 'prod' } })).toMatchObject([
      {
        key: 'development.debug',
        source: 'config/default.yaml:1',
        expected: expect.stringContaining('false in production') as string,
      },
    ]);
  });
});

describe('registration', () => {
  it('takes options from a factory, a class, or nowhere', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store: { port: 7 }' });
    const options = { root: space.root, env: {}, argv: [], watch: false };
    @Injectable()
    class Options {
      create() {
        return options;
      }
    }
    @Module({ providers: [Options], exports: [Options] })
    class OptionsModule {}
    for (const module of [
      ConfigModule.forRoot(options),
      ConfigModule.forRootAsync({ useFactory: () => options }),
      ConfigModule.forRootAsync({
        imports: [OptionsModule],
        inject: [Options],
        useFactory: (from: Options) => from.create(),
      }),
      ConfigModule.forRootAsync({ useClass: Options }),
      ConfigModule.forRootAsync({ imports: [OptionsModule], useExisting: Options }),
    ]) {
      await using app = await bootInfra(module, ConfigModule.forFeature(StoreConfig));
      expect(app.get(StoreConfig).port).toBe(7);
    }
    await using bare = await bootInfra(ConfigModule.forRootAsync());
    expect(bare.get(AppConfig).environment).toBe('test');
    expect(bare.get(DevelopmentConfig).debug).toBe(false);
  });

  it('is refused as a bare class, and twice in one app', async () => {
    using space = new Workspace();
    await expect(bootInfra(ConfigModule)).rejects.toMatchObject({ code: 'INFRA_BARE_IMPORT' });
    expect(await space.refusal({}, space.module())).toMatchObject({ code: 'INFRA_DUPLICATE_CONFIG', registrations: 2 });
  });

  it('keeps two apps of one process apart', async () => {
    using one = new Workspace({ 'config/default.yaml': 'store: { port: 1 }' });
    using two = new Workspace({ 'config/default.yaml': 'store: { port: 2 }' });
    const feature = ConfigModule.forFeature(StoreConfig);
    await using first = await one.boot({}, feature);
    await using second = await two.boot({}, feature);
    expect([first.get(StoreConfig).port, second.get(StoreConfig).port]).toEqual([1, 2]);
  });
});
