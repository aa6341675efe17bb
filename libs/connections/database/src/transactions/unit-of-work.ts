import type { EntityManager, QueryRunner } from 'typeorm';

type CommitHook = () => unknown;

/** One transaction, or one savepoint in it, as long as its function runs. */
export class UnitOfWork {
  /** Its function has settled: whatever still comes was not awaited. */
  ended = false;
  private hooks: CommitHook[] = [];

  constructor(
    readonly manager: EntityManager,
    private readonly parent?: UnitOfWork,
  ) {}

  get runner(): QueryRunner | undefined {
    return this.manager.queryRunner;
  }

  onCommit(hook: CommitHook): void {
    this.hooks.push(hook);
  }

  /** What is to run after the commit. A savepoint's hooks wait for the transaction around it. */
  settleHooks(): readonly CommitHook[] {
    const hooks = this.hooks;
    this.hooks = [];
    if (!this.parent) return hooks;
    this.parent.hooks.push(...hooks);
    return [];
  }
}
