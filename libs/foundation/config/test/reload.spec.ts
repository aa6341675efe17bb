import { rmSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { type ConfigReload, configReloads, ConfigSource } from '@core-infra/kernel';
import { ConfigModule, ConfigReloader } from '@core-infra/config';
import { StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

const feature = ConfigModule.forFeature(StoreConfig);
const yaml = 'config/default.yaml';

describe('reload', () => {
  afterEach(() => jest.restoreAllMocks());

  it('puts live fields in force, nested ones too, and leaves the others until a restart', async () => {
    using space = new Workspace({ [yaml]: 'store: { timeoutMs: 1, host: a, pool: { max: 1, idleTimeoutMs: 1 } }' });
    await using app = await space.boot({}, feature);
    const config = app.get(StoreConfig);
    const { pool } = config;
    space.write(yaml, 'store: { timeoutMs: 2, host: b, pool: { max: 2, idleTimeoutMs: 2 }, levels: { A: debug } }');
    expect(await app.get(ConfigReloader).reload()).toEqual({
      applied: ['store.levels', 'store.timeoutMs', 'store.pool.max'],
      restart: ['store.host', 'store.pool.idleTimeoutMs'],
    });
    expect(config).toMatchObject({
      timeoutMs: 2,
      host: 'a',
      levels: { A: 'debug' },
      pool: { max: 2, idleTimeoutMs: 1 },
    });
    expect(config.pool).toBe(pool);
    expect(await app.get(ConfigReloader).reload()).toEqual({ applied: [], restart: [] });
  });

  it('changes everything in one step: whoever is told first already sees all of it', async () => {
    using space = new Workspace({ [yaml]: 'store: { timeoutMs: 1, pool: { max: 1 } }' });
    await using app = await space.boot({}, feature);
    const config = app.get(StoreConfig);
    const seen: unknown[] = [];
    app.get(ConfigSource).onChange('store', changed => seen.push([changed, config.timeoutMs, config.pool.max]));
    space.write(yaml, 'store: { timeoutMs: 2, pool: { max: 2 } }');
    await app.get(ConfigReloader).reload();
    expect(seen).toEqual([[['timeoutMs', 'pool.max'], 2, 2]]);
  });

  it('validates first: a bad edit anywhere changes nothing', async () => {
    using space = new Workspace({ [yaml]: 'store: { timeoutMs: 1 }' });
    await using app = await space.boot({}, feature);
    for (const [text, message] of [
      ['store: { timeoutMs: 2, port: 70000 }', 'store.port'],
      ['store: { timeoutMs: 2, hots: 1 }', 'did you mean store.host?'],
      ['store: { timeoutMs: 2 ', 'valid YAML'],
      ['store: { timeoutMs: 2, pool: { max: 200 } }', 'at most 100 in safe mode'],
      ['store: { timeoutMs: 2 }\napp: { environment: staging }', 'decides which files are read'],
    ] as const) {
      space.write(yaml, text);
      await expect(app.get(ConfigReloader).reload()).rejects.toThrow(message);
      expect(app.get(StoreConfig).timeoutMs).toBe(1);
    }
    space.write(yaml, 'store: { timeoutMs: 3 }');
    await app.get(ConfigReloader).reload();
    expect(app.get(StoreConfig).timeoutMs).toBe(3);
  });

  it('refuses live values that only fit together with values that need a restart', async () => {
    using space = new Workspace({ [yaml]: 'store: { pool: { max: 1 } }' });
    await using app = await space.boot({}, feature);
    space.write(yaml, 'store: { mode: fast, pool: { max: 500 } }');
    await expect(app.get(ConfigReloader).reload()).rejects.toThrow('with the values that need a restart as they are');
    expect(app.get(StoreConfig).pool.max).toBe(1);
  });

  it('keeps the values of a file that vanished', async () => {
    using space = new Workspace({ [yaml]: 'store: { timeoutMs: 1 }' });
    await using app = await space.boot({}, feature);
    rmSync(space.path(yaml));
    await expect(app.get(ConfigReloader).reload()).rejects.toThrow('default.yaml');
    expect(app.get(StoreConfig).timeoutMs).toBe(1);
  });

  it('never changes what code, environment or flags have set', async () => {
    using space = new Workspace({ [yaml]: 'store: { timeoutMs: 1, pool: { max: 1 } }' });
    await using app = await space.boot({ env: { STORE_TIMEOUT_MS: '9' }, argv: ['--store.pool.max=8'] }, feature);
    space.write(yaml, 'store: { timeoutMs: 2, pool: { max: 2 } }');
    expect(await app.get(ConfigReloader).reload()).toEqual({ applied: [], restart: [] });
    expect(app.get(StoreConfig)).toMatchObject({ timeoutMs: 9, pool: { max: 8 } });
  });

  it('is published on its channel, and told to each section; a listener that throws is logged and harms no other', async () => {
    using space = new Workspace({ [yaml]: '' });
    await using app = await space.boot({}, feature);
    const published: ConfigReload[] = [];
    const subscriber = (message: unknown) => void published.push(message as ConfigReload);
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const told: unknown[] = [];
    const source = app.get(ConfigSource);
    source.onChange('store', () => {
      throw new Error('listener');
    });
    source.onChange('store', changed => told.push(changed));
    source.onChange('other', changed => told.push(changed));
    const stop = source.onChange('store', changed => told.push(changed));
    stop();
    configReloads.subscribe(subscriber);
    space.write(yaml, 'store: { timeoutMs: 7 }');
    await app.get(ConfigReloader).reload();
    configReloads.unsubscribe(subscriber);
    expect(told).toEqual([['timeoutMs']]);
    expect(published).toEqual([{ applied: ['store.timeoutMs'], restart: [] }]);
    expect(error).toHaveBeenCalledTimes(1);
  });
});
