export { guardedRoutes, type GuardedRoutesOptions } from './admin/guarded-routes.js';
export { AppState, type AppPhase } from './app-state.js';
export {
  assemble,
  type Assembled,
  type AssembleOptions,
  type CrossChecked,
  crossChecks,
  printable,
} from './config/assemble.js';
export { BootConfig } from './config/boot-config.js';
export { type Candidate, candidatesOf, unknownKey } from './config/candidates.js';
export { coerce, CoercionFailure, isForbiddenKey } from './config/coerce.js';
export { ConfigSource } from './config/config-source.js';
export { ConnectionConfig } from './config/connection-config.js';
export { envName } from './config/env-name.js';
export {
  Alias,
  type Compound,
  type ConfigClass,
  ConfigSection,
  Env,
  type EnvAlias,
  EnvParts,
  EnvSum,
  IgnoredEnv,
  type IgnoredSetting,
  type KeyAlias,
  KeyParts,
  Live,
  Nested,
  Secret,
  Synonyms,
} from './config/field-decorators.js';
export { type ConfigField, type ConfigShape, type FieldKind, shapeOf } from './config/fields.js';
export { hideSecrets, MASK } from './config/hide-secrets.js';
export { nearest } from './config/nearest.js';
export { type ConfigInput, type ConfigRequest, resolveConfig } from './config/resolve-config.js';
export { SecretStore } from './config/secret-store.js';
export {
  type ConfigProvidersOptions,
  declareSection,
  provideConfig,
  SectionDeclaration,
} from './config/section-declaration.js';
export { type Dimension, dimensionOf, factorOf, parseQuantity, type Unit } from './config/units.js';
export { type Abortable, bootScope } from './connections/boot-scope.js';
export { type CommandRequest, openForCommand } from './connections/command-scope.js';
export { type ConnectionInfo, Connections } from './connections/connections.js';
export type { ConnectionCheck, ConnectionMetrics } from './connections/contributions.js';
export { reasonOf } from './connections/connector.js';
export type { OpenRequest } from './connections/entry.js';
export type { Opened, Step } from './connections/opened.js';
export { reportStep, runStep, type StageName, type StepReport } from './connections/run-step.js';
export type { AlsoKnownAs, Concern, Driver, DriverSite } from './concern/concern.js';
export {
  type ConcernAsyncOptions,
  type ConcernModuleClass,
  defineConcern,
  type DefinedConcern,
} from './concern/define-concern.js';
export {
  type Behaviour,
  type BehaviourAsyncOptions,
  type BehaviourModuleClass,
  type BehaviourPlacement,
  defineBehaviour,
} from './concern/define-behaviour.js';
export { importPackage } from './concern/import-package.js';
export { lazyDriver } from './concern/lazy-driver.js';
export { connectionId, connectionSection, connectionToken, type Placement } from './concern/placement.js';
export { staticOptions } from './concern/static-options.js';
export { catalogue, type CatalogueEntry } from './errors/catalogue.js';
export {
  BareImportError,
  ConfigError,
  type ConfigProblem,
  ConnectFailedError,
  describeProblem,
  DuplicateConnectionError,
  DuplicateFeatureError,
  MissingConnectionError,
  MissingPackageError,
  MissingUpstreamError,
  NotConnectedError,
  ShuttingDownError,
  StepTimeoutError,
  UnknownDriverError,
} from './errors/errors.js';
export { errorMetadata, type ErrorMetadata, ErrorSpec, type Fault, InfraError } from './errors/infra-error.js';
export { withoutCredentials } from './errors/without-credentials.js';
export { KernelModule } from './kernel.module.js';
export { APP_CONTRIBUTOR, type AppContributing, AppContributor } from './ports/app-contributor.js';
export { AppInfo, type Environment } from './ports/app-info.js';
export type { CliApp, CliCommand, CliContext, CliOutput } from './ports/cli-command.js';
export { type Classification, classify, type Classify } from './ports/classify.js';
export { Clock } from './ports/clock.js';
export {
  type Check,
  type CheckResult,
  HEALTH_CONTRIBUTOR,
  type HealthContributing,
  type HealthContribution,
  HealthContributor,
  type HealthContributorOptions,
} from './ports/health-contributor.js';
export {
  type Metric,
  type MetricSample,
  METRICS_CONTRIBUTOR,
  type MetricsContributing,
  MetricsContributor,
  type ReadMetrics,
} from './ports/metrics-contributor.js';
export { Policies } from './ports/policies.js';
export { type ContextFields, type ContextInput, RequestContext } from './ports/request-context.js';
export {
  appOf,
  configReloads,
  type ConfigReload,
  connectionStages,
  type ConnectionStage,
  type HealthChange,
  healthChanges,
  type Operation,
  operations,
  sentBy,
} from './ports/telemetry.js';
