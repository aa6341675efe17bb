import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import { TransactionAlreadyActiveError, TransactionHost, TransactionNotActiveError } from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm, type TypeOrmTransactionOptions } from '@nestjs-cls/transactional-adapter-typeorm';
import { type ClsService, ClsServiceManager } from 'nestjs-cls';
import { DataSource, EntityManager, type QueryRunner } from 'typeorm';
import { TransactionEndedError, TransactionPropagationError } from './errors.js';
import { clsPropagation } from './propagation.js';
import { isRepeatable, pauseMs } from './retry.js';
import type { TransactionOptions } from './transaction-options.js';
import { UnitOfWork } from './unit-of-work.js';

/** What {@link Transactions} is made of. */
export interface TransactionsSite {
  readonly id: string;
  /** Name of the connection, `default` or another. */
  readonly name: string;
  readonly dataSource: DataSource;
  readonly logger: Pick<Logger, 'warn' | 'error' | 'debug'>;
  readonly retries: number;
}

/**
 * Asked when a transaction begins. What it returns is called in that transaction right before its commit; what that rejects with rolls it back.
 */
export type CommitGuard = () => (() => Promise<unknown>) | undefined;

interface BeginOptions extends Partial<TypeOrmTransactionOptions> {
  readonly readOnly?: boolean;
}

/**
 * The transactions of one connection. Whatever is injected plainly (`DataSource`, `EntityManager`, repositories) takes part
 * in the one that the running code is in.
 */
export class Transactions {
  /** For those who work with `@nestjs-cls/transactional` directly. */
  readonly host: TransactionHost<TransactionalAdapterTypeOrm>;
  private readonly cls: ClsService = ClsServiceManager.getClsService();
  /** Key of the running {@link UnitOfWork} in the context. */
  private readonly key = Symbol('unit of work');
  /** Key of the {@link CommitGuard} in the context. */
  private readonly guardKey = Symbol('commit guard');

  constructor(private readonly site: TransactionsSite) {
    const { dataSource, name } = site;
    // Transactions begin with a manager that joins none: the shared one would take the outer one's connection for its own.
    const apart = Object.create(dataSource, { manager: { value: new EntityManager(dataSource) } }) as DataSource;
    const begun = new TransactionalAdapterTypeOrm({ dataSourceToken: DataSource }).optionsFactory(apart);
    this.host = new TransactionHost<TransactionalAdapterTypeOrm>({
      connectionName: name === 'default' ? undefined : name,
      enableTransactionProxy: false,
      defaultTxOptions: {},
      extraProviderTokens: [],
      getFallbackInstance: begun.getFallbackInstance,
      wrapWithTransaction: (options: TypeOrmTransactionOptions, work, setManager) =>
        this.begin(options, undefined, work, (inner, joined) =>
          begun.wrapWithTransaction(options, inner, joined(setManager)),
        ),
      wrapWithNestedTransaction: (options: TypeOrmTransactionOptions, work, setManager, manager) =>
        this.begin(options, this.unit, work, (inner, joined) =>
          begun.wrapWithNestedTransaction(options, inner, joined(setManager), manager),
        ),
    });
  }

  /**
   * The manager of the running transaction; `undefined` outside of one.
   * @throws TransactionEndedError in code that outlived its transaction
   */
  get running(): EntityManager | undefined {
    if (!this.cls.isActive()) return undefined;
    if (this.unit?.ended) throw new TransactionEndedError(this.site.id);
    if (!this.host.isTransactionActive()) return undefined;
    const manager = this.host.tx;
    // Another app of this process has a transaction by the same name: its own affair.
    return manager.dataSource === this.site.dataSource ? manager : undefined;
  }

  /**
   * Runs `work` in a transaction, by default in the running one if there is one. It commits when `work` resolves and rolls
   * back when it rejects. After a serialisation failure or a deadlock the whole of `work` is run again.
   * @throws TransactionPropagationError where `never` or `mandatory` are not met
   */
  run<T>(work: () => T | Promise<T>): Promise<T>;
  run<T>(options: TransactionOptions, work: () => T | Promise<T>): Promise<T>;
  async run<T>(first: TransactionOptions | (() => T | Promise<T>), second?: () => T | Promise<T>): Promise<T> {
    const options = typeof first === 'function' ? {} : first;
    const work = typeof first === 'function' ? first : second!;
    const { propagation = 'required' } = options;
    const joins = this.running !== undefined && propagation !== 'requires-new';
    const begins = !joins && ['required', 'requires-new', 'nested'].includes(propagation);
    const retries = begins ? (options.retries ?? this.site.retries) : 0;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.attempt(options, work);
      } catch (error) {
        if (attempt >= retries || !isRepeatable(error)) throw error;
        this.site.logger.debug(
          `A transaction is run again (${attempt + 1} of ${retries}): ${(error as Error).message}`,
        );
        await delay(pauseMs(attempt));
      }
    }
  }

  /**
   * Calls `hook` once the running transaction has committed, outside of it; never if it rolls back. What it rejects with is
   * logged, as nothing can be undone any more.
   * @throws TransactionPropagationError outside of a transaction
   */
  onCommit(hook: () => unknown): void {
    const { unit } = this;
    if (!unit || this.running === undefined) {
      throw new TransactionPropagationError(
        this.site.id,
        'onCommit is called outside of a transaction.',
        'Call it in a @Transactional() method or in transactions.run(…).',
      );
    }
    unit.onCommit(hook);
  }

  /**
   * Runs `work` with a guard over each transaction that it begins, except those inside of another (`nested`, `requires-new`) and those that are read
   * only.
   */
  guarded<T>(guard: CommitGuard, work: () => T): T {
    return this.cls.run({ ifNested: 'inherit' }, () => {
      this.cls.set(this.guardKey, guard);
      return work();
    });
  }

  /**
   * Refuses a statement of code that its transaction did not wait for.
   * @throws TransactionEndedError
   */
  assertNotEnded(runner: QueryRunner): void {
    const unit = this.cls.isActive() ? this.unit : undefined;
    if (unit?.ended && unit.runner === runner) throw new TransactionEndedError(this.site.id);
  }

  private get unit(): UnitOfWork | undefined {
    return this.cls.get<UnitOfWork | undefined>(this.key);
  }

  private async attempt<T>(options: TransactionOptions, work: () => T | Promise<T>): Promise<T> {
    const { propagation = 'required', isolation, readOnly } = options;
    const begin: BeginOptions = { ...(isolation && { isolationLevel: isolation }), ...(readOnly && { readOnly }) };
    const call = async () => work();
    const leaves = propagation === 'not-supported' || propagation === 'never';
    const run = () =>
      this.host.withTransaction(
        clsPropagation[propagation],
        begin as TypeOrmTransactionOptions,
        leaves ? () => this.outside(call) : call,
      );
    try {
      const foreign = this.host.isTransactionActive() && this.running === undefined;
      return await (foreign ? this.host.withoutTransaction(run) : run());
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** Runs `begin`, whose function is `work` in a unit of its own, and then the hooks. */
  private async begin(
    options: BeginOptions,
    parent: UnitOfWork | undefined,
    work: () => Promise<unknown>,
    begin: (
      work: () => Promise<unknown>,
      joined: (setManager: (manager?: EntityManager) => void) => (manager?: EntityManager) => void,
    ) => Promise<unknown>,
  ): Promise<unknown> {
    let unit: UnitOfWork | undefined;
    const isInner = parent !== undefined || this.unit?.ended === false;
    const guard = isInner || options.readOnly ? undefined : this.cls.get<CommitGuard | undefined>(this.guardKey)?.();
    const result = await begin(
      () =>
        this.cls.run({ ifNested: 'inherit' }, async () => {
          this.cls.set(this.key, unit);
          try {
            if (options.readOnly) await unit?.manager.query('SET TRANSACTION READ ONLY');
            const done = await work();
            await guard?.();
            return done;
          } finally {
            if (unit) unit.ended = true;
          }
        }),
      setManager => manager => {
        if (manager) unit = new UnitOfWork(manager, parent);
        setManager(manager);
      },
    );
    for (const hook of unit?.settleHooks() ?? []) await this.afterCommit(hook);
    return result;
  }

  private async afterCommit(hook: () => unknown): Promise<void> {
    try {
      await this.outside(async () => hook());
    } catch (error) {
      this.site.logger.error({ msg: 'A hook failed after its transaction had committed', err: error });
    }
  }

  /** Runs `work` with no transaction about it, and no trace of an ended one. */
  private outside<T>(work: () => Promise<T>): Promise<T> {
    return this.host.withoutTransaction(async () => {
      this.cls.set(this.key, undefined);
      return work();
    });
  }

  private explain(error: unknown): unknown {
    const { id } = this.site;
    if (error instanceof TransactionNotActiveError)
      return new TransactionPropagationError(
        id,
        'no transaction is running, and the propagation is "mandatory".',
        'Call it from a @Transactional() method, or use "required".',
        { cause: error },
      );
    if (error instanceof TransactionAlreadyActiveError)
      return new TransactionPropagationError(
        id,
        'a transaction is running, and the propagation is "never".',
        'Call it outside of the transaction, or use "not-supported".',
        { cause: error },
      );
    return error;
  }
}
