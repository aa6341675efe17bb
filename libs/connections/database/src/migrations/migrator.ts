import type { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import type { MigrationsConfig } from '../config/migrations.config.js';
import { MigrationHistoryError } from './errors.js';
import { type Applied, History } from './history.js';
import type { Migration, MigrationStep } from './migration.js';
import { classMigrations } from './migration-classes.js';
import { fileOf, readMigrations } from './migration-files.js';
import { withMigrationLock } from './migration-lock.js';
import { compare, type MigrationStatus } from './migration-status.js';

/** What {@link Migrator} is made of. */
export interface MigratorSite {
  readonly config: MigrationsConfig;
  readonly logger: Pick<Logger, 'log'>;
  /** A `DataSource` of one connection, by the role that migrates. */
  readonly open: () => Promise<DataSource>;
}

export interface UpOptions {
  /** Whether to apply migrations that come before one that is applied already, as after the merge of two branches. @default false */
  readonly allowOutOfOrder?: boolean;
  /** Gives up before the next migration when it aborts. */
  readonly signal?: AbortSignal;
}

/** A migration that was applied or taken back. */
export interface MigrationDone {
  readonly name: string;
  readonly durationMs: number;
}

const never = new AbortController().signal;

/** Brings the schema up or down, one process at a time. */
export class Migrator {
  private readonly history: History;

  constructor(private readonly site: MigratorSite) {
    this.history = new History(site.config.table);
  }

  /**
   * Applies what is pending, in order, each in a transaction of its own together with its record.
   * @throws MigrationHistoryError when an applied file was edited, or a pending one comes too late
   * @throws MigrationFailedError naming file and line
   * @throws MigrationLockedError when another process migrates for too long
   */
  async up({ allowOutOfOrder = false, signal = never }: UpOptions = {}): Promise<MigrationDone[]> {
    const migrations = await this.load();
    if (migrations.length === 0) return [];
    return this.locked(signal, async runner => {
      await this.history.create(runner);
      const statuses = this.compare(migrations, await this.history.read(runner));
      refuse(statuses, allowOutOfOrder);
      const pending = statuses.flatMap(({ migration, state }) =>
        migration && (state === 'pending' || state === 'out-of-order') ? [migration] : [],
      );
      return this.runAll('Migrated', pending, signal, migration =>
        this.step(runner, migration.up, durationMs => this.history.add(runner, migration, durationMs)),
      );
    });
  }

  /**
   * Takes back the last `count` applied migrations, the newest first.
   * @throws MigrationHistoryError when one of them has no way back
   */
  async down(count: number = 1, signal: AbortSignal = never): Promise<MigrationDone[]> {
    const migrations = await this.load();
    return this.locked(signal, async runner => {
      const applied = await this.history.read(runner);
      const last = applied.slice(-count || applied.length).reverse();
      const back = last.map(({ name }) => wayBack(name, migrations));
      return this.runAll('Took back', back, signal, migration =>
        this.step(runner, migration.down, () => this.history.remove(runner, migration.name)),
      );
    });
  }

  /** Every migration that there is or was, with what is wrong with it; changes nothing. */
  async status(): Promise<MigrationStatus[]> {
    const migrations = await this.load();
    return this.connected(async runner => this.compare(migrations, await this.history.read(runner)));
  }

  /** Connects by the role that migrates, and does nothing. */
  async ping(): Promise<void> {
    await this.connected(async () => undefined);
  }

  /** Files first, by name, then classes, by timestamp. */
  private async load(): Promise<Migration[]> {
    const { directory, classes } = this.site.config;
    return [...(await readMigrations(directory, classes.length > 0)), ...classMigrations(classes)];
  }

  private compare(migrations: readonly Migration[], applied: readonly Applied[]): MigrationStatus[] {
    return compare(migrations, applied, name => fileOf(this.site.config.directory, name));
  }

  private async runAll<M extends { readonly name: string }>(
    what: 'Migrated' | 'Took back',
    migrations: readonly M[],
    signal: AbortSignal,
    run: (migration: M) => Promise<void>,
  ): Promise<MigrationDone[]> {
    const done: MigrationDone[] = [];
    for (const migration of migrations) {
      signal.throwIfAborted();
      const began = performance.now();
      await run(migration);
      const durationMs = Math.round(performance.now() - began);
      this.site.logger.log(`${what} ${migration.name} (${durationMs} ms)`);
      done.push({ name: migration.name, durationMs });
    }
    return done;
  }

  /** A step without a transaction is recorded after it; should it fail halfway, it is run again from its beginning. */
  private async step(
    runner: QueryRunner,
    step: MigrationStep,
    record: (durationMs: number) => Promise<void>,
  ): Promise<void> {
    const began = performance.now();
    if (step.transactional) await runner.startTransaction();
    try {
      await step.run(runner);
      await record(performance.now() - began);
      if (step.transactional) await runner.commitTransaction();
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined); // the server has done so where this fails
      throw error;
    }
  }

  private locked<T>(signal: AbortSignal, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const { lockTimeoutMs } = this.site.config;
    return this.connected(runner =>
      withMigrationLock(runner, this.history.lockKey, lockTimeoutMs, signal, () => work(runner)),
    );
  }

  private async connected<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const dataSource = await this.site.open();
    try {
      return await work(dataSource.createQueryRunner());
    } finally {
      await dataSource.destroy();
    }
  }
}

type Reversible = Migration & { readonly down: MigrationStep };

function wayBack(name: string, migrations: readonly Migration[]): Reversible {
  const migration = migrations.find(candidate => candidate.name === name);
  if (migration?.down) return migration as Reversible;
  throw new MigrationHistoryError(
    [name],
    `${name} is applied and ${migration ? `has no ${name}.down.sql` : 'its files are missing'}, so there is no way back.`,
    'Restore or write the file, or write a new migration that undoes it.',
  );
}

/** A missing file is no hindrance: an older version of the app may start after a newer one has migrated. */
function refuse(statuses: readonly MigrationStatus[], allowOutOfOrder: boolean): void {
  const edited = statuses.filter(({ state }) => state === 'edited').map(({ place }) => place);
  if (edited.length > 0) {
    throw new MigrationHistoryError(
      edited,
      `Edited after being applied: ${edited.join(', ')}.`,
      'Restore the file as it was applied, and put the change into a new migration.',
    );
  }
  const late = statuses.filter(({ state }) => state === 'out-of-order').map(({ place }) => place);
  if (late.length > 0 && !allowOutOfOrder) {
    throw new MigrationHistoryError(
      late,
      `Pending, and before one that is applied already: ${late.join(', ')}.`,
      'Give it a later name; or apply it as it is, with --allow-out-of-order, if the order does not matter.',
    );
  }
}
