import { NotConnectedError } from '@core-infra/kernel';
import {
  DataSource,
  type DataSourceOptions,
  type EntityManager,
  type EntityMetadata,
  type EntityTarget,
  type ObjectLiteral,
  type QueryRunner,
  type ReplicationMode,
  type SelectQueryBuilder,
} from 'typeorm';
import type { Migrator } from '../migrations/migrator.js';
import type { WatchedPool } from '../pool/watched-pool.js';
import type { Transactions } from '../transactions/transactions.js';
import { SharedEntityManager } from './shared-entity-manager.js';
import { watchRunner } from './watched-runner.js';

/** What belongs to a `DataSource` of ours besides TypeORM's own. */
export interface DataSourceParts {
  readonly id: string;
  readonly pool: () => WatchedPool | undefined;
  readonly maxConnections: number;
  readonly transactions: () => Transactions;
  readonly migrator: Migrator;
}

const parts = new WeakMap<DataSource, DataSourceParts>();

/** The parts of a `DataSource` that `DatabaseModule` opened; `undefined` for one of another origin. */
export function partsOf(dataSource: DataSource): DataSourceParts | undefined {
  return parts.get(dataSource);
}

/** TypeORM's `DataSource`, whose plain operations take part in the running transaction. */
export class InfraDataSource extends DataSource {
  constructor(
    options: DataSourceOptions,
    readonly own: DataSourceParts,
  ) {
    super(options);
    parts.set(this, own);
  }

  /** With a query runner it is TypeORM's own; without one it is shared, and joins transactions. */
  override createEntityManager(queryRunner?: QueryRunner): EntityManager {
    if (queryRunner) return super.createEntityManager(queryRunner);
    // TypeORM calls this in its constructor, before our fields are there.
    return new SharedEntityManager(this, () => this.joinedRunner());
  }

  override query<T = unknown>(sql: string, parameters?: unknown[], queryRunner?: QueryRunner): Promise<T> {
    return super.query(sql, parameters, queryRunner ?? this.joinedRunner());
  }

  override createQueryBuilder<E extends ObjectLiteral>(
    entityClass: EntityTarget<E>,
    alias: string,
    queryRunner?: QueryRunner,
  ): SelectQueryBuilder<E>;
  override createQueryBuilder(queryRunner?: QueryRunner): SelectQueryBuilder<ObjectLiteral>;
  override createQueryBuilder<E extends ObjectLiteral>(
    entityOrRunner?: EntityTarget<E> | QueryRunner,
    alias?: string,
    queryRunner?: QueryRunner,
  ): SelectQueryBuilder<ObjectLiteral> {
    return alias
      ? super.createQueryBuilder(entityOrRunner as EntityTarget<E>, alias, queryRunner ?? this.joinedRunner())
      : super.createQueryBuilder((entityOrRunner as QueryRunner | undefined) ?? this.joinedRunner());
  }

  /** A connection of one's own, outside of any running transaction. */
  override createQueryRunner(mode?: ReplicationMode): QueryRunner {
    this.assertConnected();
    return watchRunner(super.createQueryRunner(mode), this.own);
  }

  override getMetadata(target: EntityTarget<ObjectLiteral>): EntityMetadata {
    this.assertConnected();
    return super.getMetadata(target);
  }

  private assertConnected(): void {
    if (!this.isInitialized) throw new NotConnectedError(this.own.id);
  }

  private joinedRunner(): QueryRunner | undefined {
    return this.own.transactions().running?.queryRunner;
  }
}
