import { Logger } from '@nestjs/common';
import { ConfigModule } from '@core-infra/config';
import { connectionSection, provideConfig } from '@core-infra/kernel';
import { StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

const feature = ConfigModule.forFeature(StoreConfig);

async function store(env: NodeJS.ProcessEnv, files: Record<string, string> = {}): Promise<StoreConfig> {
  using space = new Workspace(files);
  await using app = await space.boot({ env }, feature);
  return app.get(StoreConfig);
}

async function problems(env: NodeJS.ProcessEnv, files: Record<string, string> = {}) {
  using space = new Workspace(files);
  return await space.problems({ env }, feature);
}

describe('the environment', () => {
  afterEach(() => jest.restoreAllMocks());

  it('sets fields by their own names and by aliases, each in its own unit', async () => {
    const config = await store({
      STORE_SERVER: 'db',
      STORE_POOL_MAX: '3',
      STORE_IDLE_MINUTES: '2',
      STORE_TIMEOUT_MS: '250',
    });
    expect(config).toMatchObject({ host: 'db', timeoutMs: 250, pool: { max: 3, idleTimeoutMs: 120_000 } });
  });

  it('takes an alias with a unit of its own in the value', async () => {
    expect((await store({ STORE_IDLE_MINUTES: '90s' })).pool.idleTimeoutMs).toBe(90_000);
  });

  it('adds up variables that make one field, and puts an overflow alone on top of the default', async () => {
    expect((await store({ STORE_POOL_SIZE: '5', STORE_MAX_OVERFLOW: '10' })).pool.max).toBe(15);
    expect((await store({ STORE_POOL_SIZE: '5' })).pool.max).toBe(5);
    expect((await store({ STORE_MAX_OVERFLOW: '10' })).pool.max).toBe(20);
  });

  it('adds up variables of which one is in .env', async () => {
    expect((await store({ STORE_MAX_OVERFLOW: '2' }, { '.env': 'STORE_POOL_SIZE=5' })).pool.max).toBe(7);
  });

  it('merges the parts of a variable that carries several fields', async () => {
    expect(await store({ STORE_ADDR: 'db:99', STORE_PASSWORD: 'x' })).toMatchObject({
      host: 'db',
      port: 99,
      password: 'x',
    });
  });

  it('says what is expected of such a variable, and masks it, since the section has secrets', async () => {
    expect(await problems({ STORE_ADDR: 'nonsense' })).toEqual([
      { key: 'store.STORE_ADDR', source: 'env STORE_ADDR', expected: 'host:port', got: '****' },
    ]);
  });

  it('names both variables where two say different things, also where one of them is a part', async () => {
    expect(await problems({ STORE_HOST: 'a', STORE_SERVER: 'b' })).toMatchObject([
      { key: 'store.host', source: 'env STORE_HOST and env STORE_SERVER', got: '"a" and "b"' },
    ]);
    expect(await problems({ STORE_ADDR: 'a:1', STORE_PORT: '2' })).toMatchObject([
      { key: 'store.port', source: 'env STORE_PORT and env STORE_ADDR' },
    ]);
  });

  it('accepts two names that mean the same, in other units', async () => {
    expect((await store({ STORE_IDLE_MINUTES: '1', STORE_POOL_IDLE_TIMEOUT_MS: '60s' })).pool.idleTimeoutMs).toBe(
      60_000,
    );
  });

  it('lets the real environment hide every name of a field in .env', async () => {
    expect((await store({ STORE_SERVER: 'real' }, { '.env': 'STORE_HOST=from-file' })).host).toBe('real');
  });

  it('takes an empty number for unset, and an empty text for empty', async () => {
    const config = await store({ STORE_PORT: '', STORE_MODE: '', STORE_ECHO: '', STORE_HOST: '', STORE_TAGS: '' });
    expect(config).toMatchObject({ port: 5000, mode: 'safe', echo: false, host: '', tags: [] });
  });

  it('gives one notice for a setting that has no effect, and says why', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    await store({ STORE_COMPRESS: '1' });
    expect(warn.mock.calls).toEqual([['STORE_COMPRESS has no effect: this store does not compress']]);
  });

  it('warns of a name that is nearly one that is read, and minds no other', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    await store({ STORE_HSOT: 'x', STORE_5000_TCP_ADDR: '10.0.0.1', STORES: '1', HOME: '/' });
    expect(warn.mock.calls).toEqual([['STORE_HSOT is not read. Did you mean STORE_HOST?']]);
  });

  it('is never written to: .env values stay out of process.env unless asked', async () => {
    using space = new Workspace({ '.env': 'CORE_INFRA_SPEC_ONLY=1' });
    await using quiet = await space.boot({});
    expect(process.env.CORE_INFRA_SPEC_ONLY).toBeUndefined();
    await using asked = await space.boot({ exportEnv: true });
    expect(process.env.CORE_INFRA_SPEC_ONLY).toBe('1');
    delete process.env.CORE_INFRA_SPEC_ONLY;
    void [quiet, asked];
  });

  it('reads no .env at all when told so', async () => {
    using space = new Workspace({ '.env': 'STORE_HOST=from-file' });
    await using app = await space.boot({ dotenv: false }, feature);
    expect(app.get(StoreConfig).host).toBe('localhost');
  });
});

describe('a named connection', () => {
  const section = connectionSection('store', 'user-sessions');
  const TOKEN = class extends StoreConfig {};
  const named = { module: class Named {}, providers: provideConfig(TOKEN, { section }), exports: [TOKEN] };

  it('has variables of its own, aliases and parts included', async () => {
    using space = new Workspace();
    const env = {
      STORE_HOST: 'other',
      STORE__USER_SESSIONS__POOL_MAX: '4',
      STORE__USER_SESSIONS__ADDR: 'db:7',
      STORE__USER_SESSIONS__IDLE_MINUTES: '3',
    };
    await using app = await space.boot({ env }, named, feature);
    expect(app.get(TOKEN)).toMatchObject({ host: 'db', port: 7, pool: { max: 4, idleTimeoutMs: 180_000 } });
    expect(app.get(StoreConfig).host).toBe('other');
  });

  it('has a section of its own in files and flags', async () => {
    using space = new Workspace({
      'config/default.yaml': 'store:\n  connections:\n    user-sessions: { port: 1, host: a }',
    });
    await using app = await space.boot({ argv: ['--store.connections.user-sessions.host=b'] }, named);
    expect(app.get(TOKEN)).toMatchObject({ host: 'b', port: 1 });
  });

  it('is warned of when a variable nearly names it', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    using space = new Workspace();
    await using app = await space.boot({ env: { STORE__USER_SESIONS__HOST: 'x', STORE__OTHER__HOST: 'x' } }, named);
    expect(warn.mock.calls).toEqual([
      ['STORE__USER_SESIONS__HOST is not read. Did you mean STORE__USER_SESSIONS__HOST?'],
    ]);
    warn.mockRestore();
    void app;
  });

  it('is an error with the nearest name when nobody registers it', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store:\n  connections:\n    user-sesions: { port: 1 }' });
    expect(await space.problems({}, named)).toMatchObject([
      {
        key: 'store.connections.user-sesions',
        source: 'config/default.yaml:3',
        expected: 'a known connection (did you mean store.connections.userSessions?)',
      },
    ]);
  });
});
