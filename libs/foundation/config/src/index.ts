export { AppConfig } from './app.config.js';
export { ConfigModule, type ConfigModuleAsyncOptions, type ConfigPlacement } from './config.module.js';
export type { ConfigModuleOptions } from './config.options.js';
export { DevelopmentConfig } from './development.config.js';
export { ConfigReloader } from './live/config-reloader.js';
