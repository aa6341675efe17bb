import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { ConfigModule } from '@core-infra/config';
import { type ConfigReload, configReloads } from '@core-infra/kernel';
import { bootInfra, eventually } from '@core-infra/testing';
import { FeatureFlags, FeatureFlagsModule } from '../src/index.js';
import { useFolder } from './support/use-folder.js';
import { untyped } from './support/untyped.js';

const folder = useFolder();

describe('flags in the configuration’s files', () => {
  const write = (yaml: string) => writeFile(join(folder.path, 'config/default.yaml'), yaml);
  const config = (env: Record<string, string> = {}) =>
    ConfigModule.forRoot({ root: folder.path, env, argv: [], watch: true, environment: 'test' });

  beforeAll(() => mkdir(join(folder.path, 'config')));
  beforeEach(() => Logger.overrideLogger(false));

  it('follow them, and stay as they were when what they say is not valid', async () => {
    await write(`
featureFlags:
  flags:
    banner: a
    new-dashboard: { rollout: 0, users: [ann], requires: payments }
    payments:
      state: ENABLED
      variants: { 'on': true, 'off': false }
      defaultVariant: 'on'
`);
    await using app = await bootInfra(config(), FeatureFlagsModule.forRootAsync());
    const flags = untyped(app.get(FeatureFlags));
    expect(flags.value('banner', '')).toBe('a');
    expect(flags.isEnabled('new-dashboard', { targetingKey: 'ann' })).toBe(true);
    await write('featureFlags: { flags: { banner: b } }');
    await eventually(() => expect(flags.value('banner', '')).toBe('b'));
    const refused: unknown[] = [];
    const listen = (message: unknown) => void refused.push((message as ConfigReload).error ?? []);
    configReloads.subscribe(listen);
    await write('featureFlags: { flags: { banner: { rollout: 200 } } }');
    await eventually(() => expect(String(refused.at(-1))).toContain('featureFlags.flags.banner.rollout'));
    configReloads.unsubscribe(listen);
    expect(flags.value('banner', '')).toBe('b');
    await write('featureFlags: { flags: { banner: c } }');
    await eventually(() => expect(flags.value('banner', '')).toBe('c'));
  });

  it('are set by the environment as JSON', async () => {
    await write('{}');
    const env = { FEATURE_FLAGS_FLAGS: '{"banner":"env","launch":{"rollout":100}}' };
    await using app = await bootInfra(config(env), FeatureFlagsModule.forRootAsync());
    const flags = untyped(app.get(FeatureFlags));
    expect(flags.value('banner', '')).toBe('env');
    expect(flags.isEnabled('launch', { targetingKey: 'ann' })).toBe(true);
  });
});
