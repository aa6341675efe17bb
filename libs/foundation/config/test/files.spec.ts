import { Logger } from '@nestjs/common';
import { ConfigModule } from '@core-infra/config';
import { NeedyConfig, StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

const feature = ConfigModule.forFeature(StoreConfig);

async function store(yaml: string): Promise<StoreConfig> {
  using space = new Workspace({ 'config/default.yaml': yaml });
  await using app = await space.boot({}, feature);
  return app.get(StoreConfig);
}

async function problems(yaml: string, ...more: Parameters<Workspace['boot']>[1][]) {
  using space = new Workspace({ 'config/default.yaml': yaml });
  return await space.problems({}, feature, ...more);
}

describe('configuration files', () => {
  afterEach(() => jest.restoreAllMocks());

  it.each(['yaml', 'yml', 'json'])('may be .%s', async extension => {
    using space = new Workspace({ [`config/default.${extension}`]: '{ "store": { "port": 7 } }' });
    await using app = await space.boot({}, feature);
    expect(app.get(StoreConfig).port).toBe(7);
  });

  it('accept snake_case and kebab-case for every key, aliases in their unit, and a key counted from the section', async () => {
    const config = await store(
      'store: { cache_bytes: 1KB, timeout-ms: 3, max_open_conns: 8, pool: { idle_timeout_ms: 5s } }',
    );
    expect(config).toMatchObject({ cacheBytes: 1024, timeoutMs: 3, pool: { max: 8, idleTimeoutMs: 5_000 } });
    expect((await store('store: { idleTime: 2 }')).pool.idleTimeoutMs).toBe(120_000);
  });

  it('refuse two spellings of one field with different values, naming both lines', async () => {
    expect(await problems('store:\n  max_open_conns: 8\n  pool:\n    max: 9')).toMatchObject([
      { key: 'store.pool.max', source: 'config/default.yaml:2 and config/default.yaml:4', got: '8 and 9' },
    ]);
  });

  it('may carry several fields in one key, which merges with the others, or contradicts them', async () => {
    expect(await store('store: { addr: "db:9", echo: true }')).toMatchObject({ host: 'db', port: 9, echo: true });
    expect(await problems('store:\n  addr: "db:9"\n  port: 8')).toMatchObject([
      { key: 'store.port', source: 'config/default.yaml:2 and config/default.yaml:3', got: '"9" and 8' },
    ]);
    expect(await problems('store: { addr: db }')).toMatchObject([
      { key: 'store.addr', expected: 'host:port', got: '****' },
    ]);
  });

  it('keep the spelling of a number where text is wanted, and take null for unset', async () => {
    expect(await store('store: { host: 1.10, port: ~, levels: { A: debug } }')).toMatchObject({
      host: '1.10',
      port: 5000,
      levels: { A: 'debug' },
    });
  });

  it('know YAML merge keys', async () => {
    const text = 'store:\n  <<: &base { port: 4, host: a }\n  host: b\n  pool: { max: 2 }';
    expect(await store(text)).toMatchObject({ port: 4, host: 'b' });
  });

  it('are read from the folder of the app and of modules too, on top of what is shared', async () => {
    using space = new Workspace({
      'settings/default.yaml': 'store: { host: shared, port: 1, timeoutMs: 1 }',
      'settings/production.yaml': 'store: { timeoutMs: 2 }',
      'settings/orders/default.yaml': 'store: { host: orders }',
      'settings/orders/production.json': '{ "store": { "timeoutMs": 3 } }',
      'settings/billing/default.yaml': 'store: { tags: [billing] }',
    });
    const options = { app: 'orders', folders: ['billing'], environment: 'production' as const };
    await using app = await space.boot({ ...options, argv: ['--config-dir', 'settings'] }, feature);
    expect(app.get(StoreConfig)).toMatchObject({ host: 'orders', port: 1, timeoutMs: 3, tags: ['billing'] });
    await using other = await space.boot({ ...options, env: { CONFIG_DIR: 'settings' } }, feature);
    expect(other.get(StoreConfig).host).toBe('orders');
  });

  it('must have their folder where somebody named it, and need none otherwise', async () => {
    using space = new Workspace();
    await using app = await space.boot({}, feature);
    expect(app.get(StoreConfig).port).toBe(5000);
    expect(await space.problems({ argv: ['--config-dir=nowhere'] })).toMatchObject([
      { key: 'nowhere', expected: 'a folder that exists' },
    ]);
  });

  it('come once each: default.yaml beside default.json is an error', async () => {
    using space = new Workspace({ 'config/default.yaml': '', 'config/default.json': '{}' });
    expect(await space.problems({})).toMatchObject([
      { key: 'config/default.yaml', expected: 'one file of each name', got: 'default.yaml and default.json' },
    ]);
  });

  it('are warned of when their name is nearly right', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    using space = new Workspace({ 'config/prodution.yaml': '', 'config/notes.yaml': '' });
    await using app = await space.boot({});
    expect(warn.mock.calls).toEqual([['config/prodution.yaml is not read. Did you mean production.yaml?']]);
    void app;
  });
});

describe('errors', () => {
  it('come all at once, over all sections, each with key, variable, source, expectation and value', async () => {
    using space = new Workspace({
      'config/default.yaml': 'store:\n  port: 70000\n  hots: x\nstroe:\n  port: 1\n',
      '.env': '\nSTORE_MODE=slow\n',
    });
    const found = await space.problems(
      { env: { STORE_ECHO: 'maybe', STORE_PASSWORD: '' }, argv: ['--store.timeoutMs=never', '--store.pool.mx', '1'] },
      feature,
      ConfigModule.forFeature(NeedyConfig),
    );
    expect(found).toHaveLength(8);
    expect(found).toEqual(
      expect.arrayContaining([
        {
          key: 'store.port',
          env: 'STORE_PORT',
          source: 'config/default.yaml:2',
          expected: 'not greater than 65535',
          got: '70000',
        },
        { key: 'store.hots', source: 'config/default.yaml:3', expected: 'a known key (did you mean store.host?)' },
        { key: 'stroe', source: 'config/default.yaml:4', expected: 'a known section (did you mean store?)' },
        expect.objectContaining({ key: 'store.mode', source: '.env:2 STORE_MODE', got: '"slow"' }),
        { key: 'store.echo', env: 'STORE_ECHO', source: 'env STORE_ECHO', expected: 'true or false', got: '"maybe"' },
        expect.objectContaining({ key: 'store.timeoutMs', source: 'flag --store.timeoutMs', got: '"never"' }),
        {
          key: 'store.pool.mx',
          source: 'flag --store.pool.mx',
          expected: 'a known key (did you mean store.pool.max?)',
        },
        { key: 'needy.url', env: 'NEEDY_URL', source: 'default', expected: 'a string', got: 'nothing' },
      ]),
    );
  });

  it('never show a secret', async () => {
    using space = new Workspace({ 'config/default.yaml': 'store:\n  password: [hunter2]\n' });
    const error = await space.refusal({}, feature);
    expect(error.message).toContain(
      'store.password (env STORE_PASSWORD, set by config/default.yaml:2): expected text, got ****',
    );
    expect(error.message).not.toContain('hunter2');
  });

  it('say so when a group is a value, and a section is none', async () => {
    expect(await problems('store:\n  pool: 5')).toMatchObject([
      { key: 'store.pool', expected: 'a group of keys', got: 'a number' },
    ]);
    expect(await problems('store: 5')).toMatchObject([{ key: 'store', expected: 'a group of keys', got: 'a number' }]);
  });

  it.each([
    ['default.yaml', 'store: "hunter2"'],
    ['default.yaml', 'store:\n  password: "hunter2" "hunter2"'],
    ['default.yaml', "store:\n  password: 'hunter2' hunter2: x"],
    ['default.yaml', 'store: { password: hunter2'],
    ['default.yaml', 'store:\n  password: hunter2\n bad'],
    ['default.json', '{"store": {"password": "hunter2",}}'],
    ['default.json', '{"store": {"password": hunter2}}'],
    ['default.json', '{"store": {"password": "hunter2'],
  ])('of %s %p do not quote what they stumbled over', async (name, content) => {
    using space = new Workspace({ [`config/${name}`]: content });
    const error = await space.refusal({}, feature);
    expect(error).toMatchObject({ code: 'INFRA_CONFIG' });
    expect(error.message).not.toMatch(/hunter|unter2/);
  });

  it('include rules between fields', async () => {
    expect(await problems('store:\n  pool: { max: 101 }')).toMatchObject([
      { key: 'store.pool.max', source: 'config/default.yaml:2', expected: 'at most 100 in safe mode' },
    ]);
  });

  it('of unknown keys are warnings where the module is lenient', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    using space = new Workspace({ 'config/default.yaml': 'store: { hots: 1 }\nelse: {}' });
    await using app = await space.boot({ strict: false }, feature);
    expect(warn.mock.calls.map(([text]) => text as string)).toEqual([
      expect.stringContaining('store.hots (set by config/default.yaml:1): expected a known key'),
      expect.stringContaining('else (set by config/default.yaml:2): expected a known section'),
    ]);
    void app;
  });

  it('leave flags of other programs alone', async () => {
    using space = new Workspace();
    await using app = await space.boot({ argv: ['--inspect', '--v8.opt=1', '--', '--store.port=1'] }, feature);
    expect(app.get(StoreConfig).port).toBe(5000);
  });
});
