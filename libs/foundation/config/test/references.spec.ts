import { Global, Injectable, Module } from '@nestjs/common';
import { IsString } from 'class-validator';
import {
  BootConfig,
  ConfigSection,
  ConfigSource,
  declareSection,
  resolveConfig,
  SecretStore,
  SectionDeclaration,
} from '@core-infra/kernel';
import { ConfigModule, ConfigReloader } from '@core-infra/config';
import { StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

const feature = ConfigModule.forFeature(StoreConfig);

@ConfigSection('vault')
class VaultConfig {
  @IsString() prefix: string = '';
}

/** A store that is itself configured, as a real one is. */
function vault(secrets: Record<string, string>) {
  const asked: string[] = [];
  @Injectable()
  class Vault extends SecretStore {
    constructor(private readonly config: VaultConfig) {
      super();
    }

    override async get(name: string): Promise<string> {
      asked.push(name);
      const found = secrets[this.config.prefix + name];
      if (found === undefined) throw new Error('no such secret');
      return found;
    }
  }
  @Global()
  @Module({
    providers: [
      {
        provide: VaultConfig,
        inject: [BootConfig],
        useFactory: (boot: BootConfig) => boot.resolve({ section: 'vault', Config: VaultConfig }),
      },
      declareSection(new SectionDeclaration('vault', VaultConfig, {})),
      { provide: SecretStore, inject: [VaultConfig], useFactory: (config: VaultConfig) => new Vault(config) },
    ],
    exports: [SecretStore],
  })
  class VaultModule {}
  return { VaultModule, asked, secrets };
}

describe('file:// references', () => {
  it('are read after merging, without the newline at the end, from any source', async () => {
    using space = new Workspace({ password: 'hunter2\n', port: '7\r\n' });
    space.write(
      'config/default.yaml',
      `store: { password: "file://${space.path('password')}", host: "file:///not/there" }`,
    );
    await using app = await space.boot(
      { env: { STORE_HOST: 'db' }, argv: [`--store.port=file://${space.path('port')}`] },
      feature,
    );
    expect(app.get(StoreConfig)).toMatchObject({ password: 'hunter2', port: 7, host: 'db' });
  });

  it('are followed in parts, lists and values given in code', async () => {
    using space = new Workspace({ addr: 'db:9\n', tag: 'blue\n' });
    await using app = await space.boot({ env: { STORE_ADDR: `file://${space.path('addr')}` } }, feature);
    expect(app.get(StoreConfig)).toMatchObject({ host: 'db', port: 9 });
    await using bare = await space.boot({}, feature);
    const given = { tags: ['red', `file://${space.path('tag')}`] };
    const config = resolveConfig({ section: 'store', Config: StoreConfig, given }, app.get(ConfigSource));
    expect(config.tags).toEqual(['red', 'blue']);
    const addr = { addr: `file://${space.path('addr')}` };
    expect(resolveConfig({ section: 'store', Config: StoreConfig, given: addr }, bare.get(ConfigSource)).port).toBe(9);
    const lost = { addr: 'file:///not/there' };
    expect(() => resolveConfig({ section: 'store', Config: StoreConfig, given: lost }, bare.get(ConfigSource))).toThrow(
      'store.addr',
    );
  });

  it('that cannot be read are errors with the place they stand at', async () => {
    using space = new Workspace({
      'config/default.yaml': 'store:\n  password: file:///not/there\n  host: file://relative/x',
    });
    expect(await space.problems({}, feature)).toMatchObject([
      { key: 'store.host', source: 'config/default.yaml:3', got: 'file://relative/x' },
      {
        key: 'store.password',
        source: 'config/default.yaml:2',
        expected: 'a file that can be read at /not/there',
        got: 'no such file',
      },
    ]);
  });

  it('never show what they hold, even in a field that is no secret', async () => {
    using space = new Workspace({ port: 'hunter2' });
    const [problem] = await space.problems({ env: { STORE_PORT: `file://${space.path('port')}` } }, feature);
    expect(problem).toMatchObject({
      key: 'store.port',
      got: '****',
      source: expect.stringContaining('env STORE_PORT -> file://') as string,
    });
  });

  it('are read again by a reload', async () => {
    using space = new Workspace({ timeout: '5' });
    await using app = await space.boot({ env: { STORE_TIMEOUT_MS: `file://${space.path('timeout')}` } }, feature);
    space.write('timeout', '6');
    await app.get(ConfigReloader).reload();
    expect(app.get(StoreConfig).timeoutMs).toBe(6);
  });
});

describe('secret:// references', () => {
  it('come from the store, which reads its own settings first, and are asked for once', async () => {
    using space = new Workspace({
      'config/default.yaml': 'vault: { prefix: "prod/" }\nstore: { password: "secret://db" }',
    });
    const { VaultModule, asked } = vault({ 'prod/db': 'hunter2' });
    await using app = await space.boot({}, VaultModule, feature);
    expect(app.get(StoreConfig).password).toBe('hunter2');
    expect(asked).toEqual(['db']);
  });

  it('that the merge hides are not asked for', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store: { password: "secret://db" }' });
    const { VaultModule, asked } = vault({});
    await using app = await space.boot({ env: { STORE_PASSWORD: 'own' } }, VaultModule, feature);
    expect(app.get(StoreConfig).password).toBe('own');
    expect(asked).toEqual([]);
  });

  it('that the store does not have are errors, with all others', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store:\n  password: secret://db\n  port: 0' });
    expect(await space.problems({}, vault({}).VaultModule, feature)).toMatchObject([
      { key: 'store.password', source: 'config/default.yaml:2', got: 'secret://db: no such secret' },
      { key: 'store.port' },
    ]);
  });

  it('without a store are an error that says what is missing', async () => {
    using space = new Workspace();
    expect(await space.problems({ env: { STORE_PASSWORD: 'secret://db' } }, feature)).toMatchObject([
      {
        key: 'store.password',
        source: 'env STORE_PASSWORD',
        expected: 'a module that provides a SecretStore, for secret:// references',
      },
    ]);
  });

  it('in the settings of the store are an error', async () => {
    using space = new Workspace();
    const [problem] = await space.problems({ env: { VAULT_PREFIX: 'secret://x' } }, vault({}).VaultModule, feature);
    expect(problem).toMatchObject({
      key: 'vault.prefix',
      expected: expect.stringContaining('cannot be configured from itself') as string,
    });
  });

  it('from a factory are an error that names the way', async () => {
    using space = new Workspace();
    await using app = await space.boot({}, vault({ db: 'x' }).VaultModule, feature);
    const resolve = () =>
      resolveConfig(
        { section: 'store', Config: StoreConfig, given: { password: 'secret://db' } },
        app.get(ConfigSource),
      );
    expect(resolve).toThrow('a factory that has the secret injects SecretStore');
  });

  it('are asked for again by a reload', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store: { levels: { A: "secret://level" } }' });
    const { VaultModule, secrets } = vault({ level: 'debug' });
    await using app = await space.boot({}, VaultModule, feature);
    secrets.level = 'warn';
    await app.get(ConfigReloader).reload();
    expect(app.get(StoreConfig).levels).toEqual({ A: 'warn' });
  });
});
