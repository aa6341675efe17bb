import {
  type DataSource,
  EntityManager,
  type EntityTarget,
  type ObjectLiteral,
  type QueryRunner,
  type Repository,
  type TreeRepository,
} from 'typeorm';

/**
 * The manager that is injected, and that injected repositories work with. It takes part in whatever transaction the running
 * code is in: TypeORM asks a manager for its query runner before each operation, and this one answers by the context.
 */
export class SharedEntityManager extends EntityManager {
  private detached = false;

  constructor(dataSource: DataSource, joined: () => QueryRunner | undefined) {
    super(dataSource);
    Object.defineProperty(this, 'queryRunner', {
      get: () => (this.detached ? undefined : joined()),
      configurable: true,
    });
  }

  override getRepository<E extends ObjectLiteral>(target: EntityTarget<E>): Repository<E> {
    return this.apart(() => super.getRepository(target));
  }

  override getTreeRepository<E extends ObjectLiteral>(target: EntityTarget<E>): TreeRepository<E> {
    return this.apart(() => super.getTreeRepository(target));
  }

  /** Nothing to release: a transaction is released by whoever began it. */
  override release(): Promise<void> {
    return this.apart(() => super.release());
  }

  /** Repositories are kept and shared, so none may be made with the query runner of one transaction. */
  private apart<T>(work: () => T): T {
    this.detached = true;
    try {
      return work();
    } finally {
      this.detached = false;
    }
  }
}
