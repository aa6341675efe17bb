import type { FeatureFlags } from '../feature-flags.js';
import type { FlagSetting } from '../flag-document.js';
import { FlagEngine } from './flag-engine.js';
import { documentOf } from './settings.js';

/**
 * Puts flags over those that are in force, in this process alone; for tests.
 * @returns takes these away again
 * @throws InvalidFlagsError when they are not valid; TypeError for a `FeatureFlags` that our module did not open
 */
export function overrideFlags(flags: FeatureFlags, settings: Readonly<Record<string, FlagSetting>>): () => void {
  if (!(flags instanceof FlagEngine)) throw new TypeError('These flags were not opened by FeatureFlagsModule.');
  const before = flags.overridden;
  flags.override({ ...before, ...documentOf(settings).flags });
  return () => flags.override(before);
}
