export { type AdapterChoice } from './bootstrap/adapter.js';
export { bootstrap, type BootstrapOptions } from './bootstrap/bootstrap.js';
export { applyContributors } from './bootstrap/contributors.js';
export { createApp, type CreateAppOptions, listen } from './bootstrap/create-app.js';
export {
  type ConcernImport,
  type CoreInfraAsyncOptions,
  CoreInfraModule,
  type CoreInfraOptions,
  type CoreInfraPlacement,
} from './core-infra.module.js';
export { CannotListenError, NotAConcernError, PortInUseError } from './errors.js';
export { ServerConfig } from './server.config.js';
export { ShutdownConfig } from './shutdown/shutdown.config.js';
export { shutDown, type ShutdownTarget } from './shutdown/shutdown.js';
export type { ShutdownPhase, ShutdownReport } from './shutdown/shutdown-report.js';
