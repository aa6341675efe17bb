import type { Driver } from '@core-infra/kernel';
import type { FeatureFlags } from '../feature-flags.js';
import type { FeatureFlagsConfig } from '../feature-flags.config.js';
import { rememberStore } from '../stores/store-of.js';
import { openEngine } from './open-flags.js';

/** The flags of the configuration, and no others. */
export const memory: Driver<FeatureFlagsConfig, FeatureFlags> = async (config, at) => {
  const { engine, close } = await openEngine(config, at);
  rememberStore(engine, { driver: 'memory', defaults: () => engine.configured });
  return { client: engine, check: () => ({ source: 'configuration', ...engine.health() }), close };
};
