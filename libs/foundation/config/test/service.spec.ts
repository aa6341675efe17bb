import { inspect } from 'node:util';
import { ConfigService, registerAs } from '@nestjs/config';
import { ConfigModule as NestConfigModule } from '@nestjs/config';
import { connectionSection, provideConfig } from '@core-infra/kernel';
import { ConfigModule, ConfigReloader } from '@core-infra/config';
import { StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

const feature = ConfigModule.forFeature(StoreConfig);

describe("Nest's ConfigService", () => {
  it('reads every section by its path, and follows reloads', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store: { timeoutMs: 1, pool: { max: 2 } }' });
    await using app = await space.boot({}, feature);
    const service = app.get(ConfigService);
    expect(service.get('store.pool.max')).toBe(2);
    expect(service.getOrThrow('store.host')).toBe('localhost');
    expect(service.get('store')).toMatchObject({ timeoutMs: 1, pool: { max: 2 } });
    expect(service.get('app.environment')).toBe('development');
    expect(service.get('store.nothing', 'fallback')).toBe('fallback');
    space.write('config/default.yaml', 'store: { timeoutMs: 5, pool: { max: 6 } }');
    await app.get(ConfigReloader).reload();
    expect([service.get('store.timeoutMs'), service.get('store.pool.max')]).toEqual([5, 6]);
  });

  it('reads named connections beside the default one, and several classes of one section', async () => {
    class Other {
      extra: string = 'here';
    }
    class Named extends StoreConfig {}
    const providers = [
      ...provideConfig(Other, { section: 'store' }),
      ...provideConfig(Named, { section: connectionSection('store', 'audit') }),
    ];
    using space = new Workspace({
      'config/default.yaml': 'store: { host: a, extra: b, connections: { audit: { host: c } } }',
    });
    await using app = await space.boot({}, feature, { module: class Providers {}, providers });
    const service = app.get(ConfigService);
    expect(
      ['store.host', 'store.extra', 'store.connections.audit.host'].map(path => service.get<string>(path)),
    ).toEqual(['a', 'b', 'c']);
  });

  it('shows secrets masked where a whole section is printed, and gives them to who asks for them', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store: { password: s3cret }' });
    await using app = await space.boot({}, feature);
    const service = app.get(ConfigService);
    expect(JSON.stringify(service.get('store'))).toContain('"password":"****"');
    expect(inspect(service.get('store'), { depth: 5 })).not.toContain('s3cret');
    expect(service.get('store.password')).toBe('s3cret');
  });

  it('reads variables of .env, which are not in process.env', async () => {
    using space = new Workspace({ '.env': 'CORE_INFRA_SPEC_VALUE=1' });
    await using app = await space.boot({});
    expect(app.get(ConfigService).get('CORE_INFRA_SPEC_VALUE')).toBe('1');
    expect(process.env.CORE_INFRA_SPEC_VALUE).toBeUndefined();
  });

  it("reads what an app registers with Nest's own forFeature", async () => {
    using space = new Workspace();
    await using app = await space.boot({}, NestConfigModule.forFeature(registerAs('legacy', () => ({ key: 'value' }))));
    expect(app.get(ConfigService).get('legacy.key')).toBe('value');
  });
});
