import { resolve } from 'node:path';
import type { Driver } from '@core-infra/kernel';
import type { FeatureFlags } from '../feature-flags.js';
import type { FeatureFlagsConfig } from '../feature-flags.config.js';
import { formatOf } from '../formats/flag-format.js';
import { FileFlagStore } from '../stores/file/file-flag.store.js';
import { openFlags } from './open-flags.js';

/** Flags in a file. */
export const file: Driver<FeatureFlagsConfig, FeatureFlags> = async (config, at) => {
  const path = resolve(config.path);
  const format = await formatOf(path, at.id);
  return openFlags(config, at, {
    address: path,
    source: `the file ${config.path}`,
    open: format.open,
    store: parse => new FileFlagStore({ path, format, parse, clock: at.clock, ...config.file }),
  });
};
