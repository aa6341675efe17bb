export { FlagEditError, FlagPreconditionError, UnguardedAdminError, UnknownFlagError } from './admin/errors.js';
export { FeatureFlagsAdminModule, type FeatureFlagsAdminOptions } from './admin/feature-flags-admin.module.js';
export { describeFlagProblem, FeatureOffError, FlagFileError, type FlagProblem, InvalidFlagsError } from './errors.js';
export { overrideFlags } from './evaluation/override-flags.js';
export { withRollout } from './evaluation/rollout.js';
export { flagUsage, type FlagUsage } from './events/usage.js';
export {
  FeatureFlags,
  type FlagContext,
  type FlagDetails,
  type FlagErrorCode,
  type FlagReason,
  type FlagsChange,
} from './feature-flags.js';
export { FeatureFlagsConfig, FileFlagsConfig } from './feature-flags.config.js';
export {
  FeatureFlagsModule,
  type FeatureFlagsOptions,
  getFeatureFlagsToken,
  InjectFeatureFlags,
} from './feature-flags.module.js';
export type { FlagDefinition, FlagDocument, FlagSetting, FlagValue, RolloutSetting } from './flag-document.js';
export type { FlagChange, FlagChanges, FlagHistoryEntry, FlagSnapshot, FlagStore } from './flag-store.js';
export type { Answer, BooleanFlagKey, FlagKey, FlagTypes, ValueOf, Widened } from './flag-types.js';
export { FeatureGate, type FeatureGateOptions } from './gate/feature-gate.js';
export { Flag, type FlagOptions } from './gate/flag.decorator.js';
export type { ContextOfCall } from './gate/flags-of-call.js';
export { FlagsProvider } from './openfeature/flags.provider.js';
export { FlagConflictError, FlagNameError, FlagsBusyError, FlagsReadOnlyError } from './stores/errors.js';
export { RedisFlagsConfig } from './stores/redis/redis-flags.config.js';
export { StoredFlagsError } from './stores/redis/stored-flags.js';
export { storeOf } from './stores/store-of.js';
