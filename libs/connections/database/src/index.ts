export { classifyPostgres } from './classify.js';
export { DatabaseConfig, type Entity, type SslMode, type TypeOrmOptions } from './config/database.config.js';
export { MigrationsConfig } from './config/migrations.config.js';
export { PoolConfig } from './config/pool.config.js';
export { DatabaseModule, type DatabaseOptions, getDatabaseToken, InjectDatabase } from './database.module.js';
export {
  ChannelBindingError,
  DatabaseConnectTimeoutError,
  PoolExhaustedError,
  type PoolStats,
  QueryCancelledError,
  QueryDeadlineError,
  TlsFileError,
} from './errors.js';
export { MigrationCommandError } from './migrations/commands.js';
export {
  MigrationFailedError,
  MigrationFilesError,
  MigrationHistoryError,
  MigrationLockedError,
} from './migrations/errors.js';
export { type Listening, type ListenHandlers, listenTo } from './listen.js';
export type { MigrationState, MigrationStatus } from './migrations/migration-status.js';
export { type MigrationDone, Migrator, type UpOptions } from './migrations/migrator.js';
export { migratorOf } from './migrations/migrator-of.js';
export { cancelStatementOf } from './query/cancel.js';
export { poolStats } from './pool/pool-stats.js';
export {
  NotOurDataSourceError,
  TransactionAbortedError,
  TransactionalNotWiredError,
  TransactionEndedError,
  TransactionPropagationError,
} from './transactions/errors.js';
export type { Propagation } from './transactions/propagation.js';
export { runInTransaction, transactionsOf } from './transactions/run-in-transaction.js';
export type { IsolationLevel, TransactionOptions } from './transactions/transaction-options.js';
export {
  getTransactionsToken,
  InjectTransactions,
  Transactional,
  type TransactionalOptions,
} from './transactions/transactional.decorator.js';
export { type CommitGuard, Transactions } from './transactions/transactions.js';
// What every user of the package needs of its clients.
export { getDataSourceToken, getEntityManagerToken, getRepositoryToken, InjectRepository } from '@nestjs/typeorm';
export { DataSource, EntityManager, Repository } from 'typeorm';
