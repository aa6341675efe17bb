import { Module } from '@nestjs/common';
import { type ConfigInput, defineConcern, lazyDriver } from '@core-infra/kernel';
import { file } from './drivers/file.js';
import { memory } from './drivers/memory.js';
import { FeatureFlags } from './feature-flags.js';
import { FeatureFlagsConfig } from './feature-flags.config.js';
import type { FlagSetting } from './flag-document.js';

/** What `forRoot` takes. */
export type FeatureFlagsOptions = Omit<ConfigInput<FeatureFlagsConfig>, 'flags'> & {
  flags?: Record<string, FlagSetting>;
};

const featureFlags = defineConcern<FeatureFlagsConfig, FeatureFlags>({
  name: 'feature-flags',
  section: 'featureFlags',
  port: FeatureFlags,
  config: FeatureFlagsConfig,
  upstreams: { redis: 'redis' },
  drivers: {
    memory,
    file,
    redis: lazyDriver(() => import('./drivers/redis.js'), ['@core-infra/redis']),
  },
});

/** DI token of a connection: `FeatureFlags` itself for the default one. */
export const getFeatureFlagsToken = featureFlags.token;

/** Injects flags by the name of their connection. */
export const InjectFeatureFlags = featureFlags.Inject;

/** Feature flags: {@link FeatureFlags} by type. */
@Module({})
export class FeatureFlagsModule extends featureFlags.ConcernModule {}
