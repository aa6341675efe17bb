export { AppConfig } from './app.config.js';
export { ConfigModule, type ConfigModuleAsyncOptions, type ConfigPlacement } from './config.module.js';
export type { ConfigModuleOptions } from './config.options.js';
export { DevelopmentConfig } from './development.config.js';
export { ConfigReloader } from './live/config-reloader.js';
export type { FieldText, JsonSchema } from './schema/field.schema.js';
export { type DescribeField, jsonSchemaOf } from './schema/json-schema.js';
export type { DeclaredSections } from './sections/unknown-keys.js';
export { envSpellings, type EnvSpelling } from './sections/env-names.js';
