import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FeatureFlags, FeatureFlagsModule, type FeatureFlagsOptions, storeOf } from '@core-infra/feature-flags';
import { HealthModule, HealthService } from '@core-infra/health';
import { RedisModule } from '@core-infra/redis';
import { bootInfra, eventually, uniqueName, useRedisServer } from '@core-infra/testing';
import { off, on } from '../../support/store.contract.js';

describe('the module with Redis', () => {
  const server = useRedisServer();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flags-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const boot = (redis: NonNullable<FeatureFlagsOptions['redis']>) =>
    bootInfra(
      RedisModule.forRoot({ url: server.url }),
      FeatureFlagsModule.forRoot({ driver: 'redis', flags: { banner: true }, redis: { bootWaitMs: 2_000, ...redis } }),
      HealthModule.forRoot({ intervalMs: 0, cacheMs: 0 }),
    );
  const isOn = (app: { get(type: typeof FeatureFlags): FeatureFlags }) =>
    app.get(FeatureFlags).isEnabled('banner' as never);

  it('answers by what Redis holds from the first moment, in every process, and over a restart without it', async () => {
    const redis = { key: uniqueName('flags'), snapshotFile: join(folder, 'flags.json') };
    {
      await using one = await boot(redis);
      await using two = await boot(redis);
      expect(isOn(one)).toBe(true);
      await storeOf(one.get(FeatureFlags)).change({ flag: 'banner', to: off, by: 'ann' });
      expect(isOn(one)).toBe(false);
      await eventually(() => expect(isOn(two)).toBe(false));
      await using three = await boot(redis);
      expect(isOn(three)).toBe(false);
    }
    await server.stop();
    await using alone = await boot({ ...redis, bootWaitMs: 50 });
    expect(isOn(alone)).toBe(false);
    expect(alone.get(FeatureFlags).version).toBe(1);
    await server.start();
    await eventually(() => storeOf(alone.get(FeatureFlags)).change({ flag: 'banner', to: on, by: 'ann' }));
    expect(isOn(alone)).toBe(true);
  });

  it('answers by the configuration, and is degraded, where there is neither Redis nor a snapshot', async () => {
    await server.stop();
    await using app = await boot({ key: uniqueName('flags'), snapshotFile: '', bootWaitMs: 20 });
    expect(isOn(app)).toBe(true);
    const health = app.get(HealthService, { strict: false });
    expect(await health.check()).toMatchObject({ status: 'degraded', checks: { 'feature-flags': { status: 'down' } } });
    await server.start();
    await eventually(async () => expect(await health.check('feature-flags')).toMatchObject({ status: 'up' }));
  });
});
