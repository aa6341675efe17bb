import { resolve } from 'node:path';
import type { Driver } from '@core-infra/kernel';
import type { FeatureFlags } from '../feature-flags.js';
import type { FeatureFlagsConfig } from '../feature-flags.config.js';
import { FileFlagStore } from '../stores/file/file-flag.store.js';
import { openFlags } from './open-flags.js';

/** Flags in a file. */
export const file: Driver<FeatureFlagsConfig, FeatureFlags> = (config, at) => {
  const path = resolve(config.path);
  return openFlags(config, at, {
    address: path,
    source: `the file ${config.path}`,
    store: parse => new FileFlagStore({ path, parse, clock: at.clock, ...config.file }),
  });
};
