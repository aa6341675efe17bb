import type { DataSource } from 'typeorm';
import { partsOf } from '../orm/infra-data-source.js';
import { NotOurDataSourceError } from './errors.js';
import type { TransactionOptions } from './transaction-options.js';
import type { Transactions } from './transactions.js';

/**
 * The {@link Transactions} of a `DataSource`.
 * @throws NotOurDataSourceError
 */
export function transactionsOf(dataSource: DataSource): Transactions {
  const parts = partsOf(dataSource);
  if (!parts) throw new NotOurDataSourceError('A transaction');
  return parts.transactions();
}

/** {@link Transactions.run} for those who hold a `DataSource`. */
export function runInTransaction<T>(dataSource: DataSource, work: () => T | Promise<T>): Promise<T>;
export function runInTransaction<T>(
  dataSource: DataSource,
  options: TransactionOptions,
  work: () => T | Promise<T>,
): Promise<T>;
export function runInTransaction<T>(
  dataSource: DataSource,
  first: TransactionOptions | (() => T | Promise<T>),
  second?: () => T | Promise<T>,
): Promise<T> {
  const transactions = transactionsOf(dataSource);
  return typeof first === 'function' ? transactions.run(first) : transactions.run(first, second!);
}
