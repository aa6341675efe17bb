import type { Propagation } from './propagation.js';

export type IsolationLevel = 'READ UNCOMMITTED' | 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';

export interface TransactionOptions {
  /** @default 'required' */
  readonly propagation?: Propagation;
  /** @default the server's own, usually `READ COMMITTED` */
  readonly isolation?: IsolationLevel;
  /** Whether the server refuses writes. @default false */
  readonly readOnly?: boolean;
  /**
   * How often the whole function is run again after a serialisation failure or a deadlock. It counts where the transaction
   * begins; inside of a running one nothing is retried. @default `database.transactionRetries`
   */
  readonly retries?: number;
}
