import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { type ConfigReload, configReloads } from '@core-infra/kernel';
import { eventually, type InfraApp } from '@core-infra/testing';
import { ConfigModule } from '@core-infra/config';
import { StoreConfig } from './helpers/sections.js';
import { Workspace } from './helpers/workspace.js';

const feature = ConfigModule.forFeature(StoreConfig);
const yaml = 'config/default.yaml';

const becomes = (app: InfraApp, timeoutMs: number) =>
  eventually(() => {
    const now = app.get(StoreConfig).timeoutMs;
    expect(now).toBe(timeoutMs);
    return now;
  });

async function watched(files: Record<string, string>) {
  const space = new Workspace(files);
  const app = await space.boot({ watch: true }, feature);
  const reloads: ConfigReload[] = [];
  const subscriber = (message: unknown) => void reloads.push(message as ConfigReload);
  configReloads.subscribe(subscriber);
  return {
    space,
    app,
    reloads,
    [Symbol.asyncDispose]: async () => {
      configReloads.unsubscribe(subscriber);
      await app.close();
      space[Symbol.dispose]();
    },
  };
}

describe('watching', () => {
  beforeEach(() => jest.spyOn(Logger.prototype, 'error').mockImplementation());
  afterEach(() => jest.restoreAllMocks());

  it('sees a file that is written in place, again and again', async () => {
    await using on = await watched({ [yaml]: 'store: { timeoutMs: 1 }' });
    for (const timeoutMs of [2, 3, 4]) {
      on.space.write(yaml, `store: { timeoutMs: ${timeoutMs} }`);
      expect(await becomes(on.app, timeoutMs)).toBe(timeoutMs);
    }
  });

  it('sees an editor that writes beside and renames, again and again', async () => {
    await using on = await watched({ [yaml]: 'store: { timeoutMs: 1 }' });
    for (const timeoutMs of [2, 3, 4]) {
      on.space.write('config/.default.yaml.swp', `store: { timeoutMs: ${timeoutMs} }`);
      renameSync(on.space.path('config/.default.yaml.swp'), on.space.path(yaml));
      expect(await becomes(on.app, timeoutMs)).toBe(timeoutMs);
    }
  });

  it('sees Kubernetes swap its ..data link', async () => {
    await using on = await watched({
      'config/..v1/default.yaml': 'store: { timeoutMs: 1 }',
      'config/..v2/default.yaml': 'store: { timeoutMs: 2 }',
      'config/..v3/default.yaml': 'store: { timeoutMs: 3 }',
    });
    const { space } = on;
    const swap = (version: string) => {
      symlinkSync(version, space.path('config/..data_tmp'));
      renameSync(space.path('config/..data_tmp'), space.path('config/..data'));
    };
    swap('..v1');
    symlinkSync('..data/default.yaml', space.path(yaml));
    expect(await becomes(on.app, 1)).toBe(1);
    swap('..v2');
    rmSync(space.path('config/..v1'), { recursive: true });
    expect(await becomes(on.app, 2)).toBe(2);
    swap('..v3');
    expect(await becomes(on.app, 3)).toBe(3);
  });

  it('sees a change in the file that a link leads to in another folder, also where a value refers to the link', async () => {
    using elsewhere = new Workspace({ 'shared.yaml': 'store: { timeoutMs: 1 }', size: '5' });
    using space = new Workspace({ 'config/.keep': '' });
    symlinkSync(elsewhere.path('shared.yaml'), space.path(yaml));
    symlinkSync(elsewhere.path('size'), space.path('link'));
    const env = { STORE_CACHE_BYTES: `file://${space.path('link')}` };
    await using app = await space.boot({ watch: true, env }, feature);
    elsewhere.write('shared.yaml', 'store: { timeoutMs: 2 }');
    expect(await becomes(app, 2)).toBe(2);
    elsewhere.write('size', '6');
    await eventually(() => expect(app.get(StoreConfig).cacheBytes).toBe(6));
  });

  it('sees a folder and a file that come later, and a .env', async () => {
    await using on = await watched({});
    on.space.write(yaml, 'store: { timeoutMs: 2 }');
    expect(await becomes(on.app, 2)).toBe(2);
    on.space.write('config/development.yaml', 'store: { timeoutMs: 3 }');
    expect(await becomes(on.app, 3)).toBe(3);
    on.space.write('.env', 'STORE_TIMEOUT_MS=4');
    expect(await becomes(on.app, 4)).toBe(4);
  });

  it('sees a folder that is replaced as a whole', async () => {
    await using on = await watched({
      [yaml]: 'store: { timeoutMs: 1 }',
      'next/default.yaml': 'store: { timeoutMs: 2 }',
    });
    renameSync(on.space.path('config'), on.space.path('old'));
    renameSync(on.space.path('next'), on.space.path('config'));
    expect(await becomes(on.app, 2)).toBe(2);
    on.space.write(yaml, 'store: { timeoutMs: 3 }');
    expect(await becomes(on.app, 3)).toBe(3);
  });

  it('sees a file that a value refers to', async () => {
    const space = new Workspace({ 'run/secrets/timeout': '2' });
    await using app = await space.boot(
      { watch: true, env: { STORE_TIMEOUT_MS: `file://${space.path('run/secrets/timeout')}` } },
      feature,
    );
    space.write('run/secrets/timeout', '3');
    expect(await becomes(app, 3)).toBe(3);
    space[Symbol.dispose]();
  });

  it('keeps the old values after a bad edit and says why, once, and takes the next good one', async () => {
    await using on = await watched({ [yaml]: 'store: { timeoutMs: 2 }' });
    on.space.write(yaml, 'store:\n  timeoutMs: never');
    await eventually(() => expect(on.reloads).toHaveLength(1));
    expect(on.reloads[0]).toMatchObject({ applied: [], restart: [], error: { code: 'INFRA_CONFIG' } });
    expect(jest.mocked(Logger.prototype.error).mock.calls[0]?.[0]).toContain('config/default.yaml:2');
    expect(on.app.get(StoreConfig).timeoutMs).toBe(2);
    on.space.write(yaml, 'store: { timeoutMs: 3 }');
    expect(await becomes(on.app, 3)).toBe(3);
    expect(Logger.prototype.error).toHaveBeenCalledTimes(1);
  });

  it('keeps the values of a file that vanishes, until it is back', async () => {
    await using on = await watched({ [yaml]: 'store: { timeoutMs: 2 }' });
    rmSync(on.space.path('config'), { recursive: true });
    await eventually(() => expect(on.reloads.some(({ error }) => error !== undefined)).toBe(true));
    expect(on.app.get(StoreConfig).timeoutMs).toBe(2);
    mkdirSync(on.space.path('config'));
    on.space.write(yaml, 'store: { timeoutMs: 3 }');
    expect(await becomes(on.app, 3)).toBe(3);
  });

  it('ends with the app', async () => {
    await using closed = await watched({ [yaml]: 'store: { timeoutMs: 1 }' });
    const config = closed.app.get(StoreConfig);
    await closed.app.close();
    await using open = await closed.space.boot({ watch: true }, feature);
    closed.space.write(yaml, 'store: { timeoutMs: 2 }');
    expect(await becomes(open, 2)).toBe(2);
    expect(config.timeoutMs).toBe(1);
  });
});
