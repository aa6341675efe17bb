export { ServiceMissingError, ServiceStartError, ServiceStateError, UnsafeFolderError } from './errors.js';
export { bootInfra, type Importable, type InfraApp } from './helpers/boot-infra.js';
export { eventually, type EventuallyOptions } from './helpers/eventually.js';
export { uniqueName } from './helpers/unique-name.js';
export { startPostgres, usePostgresServer, type PostgresServer } from './postgres/start-postgres.js';
export { usePostgres, type TestPostgres } from './postgres/use-postgres.js';
