import type { Applied } from './history.js';
import type { Migration } from './migration.js';

/** `edited`, `missing` and `out-of-order` are faults. */
export type MigrationState = 'applied' | 'pending' | 'edited' | 'missing' | 'out-of-order';

export interface MigrationStatus {
  readonly name: string;
  readonly state: MigrationState;
  /** File or class; of one that is missing, where it was to be. */
  readonly place: string;
  readonly appliedAt?: Date;
  readonly migration?: Migration;
}

/** Puts migrations beside what was recorded of them: those that are known in their order, then those that are missing. */
export function compare(
  migrations: readonly Migration[],
  applied: readonly Applied[],
  fileOf: (name: string) => string,
): MigrationStatus[] {
  const records = new Map(applied.map(record => [record.name, record]));
  // Files and classes have no order among each other: a file that is written after the classes of a package were applied is not late.
  const lastApplied = { file: -1, class: -1 };
  for (const [index, migration] of migrations.entries())
    if (records.has(migration.name)) lastApplied[kindOf(migration)] = index;
  const known = migrations.map((migration, index): MigrationStatus => {
    const { name, place, checksum } = migration;
    const record = records.get(name);
    if (!record)
      return { name, place, migration, state: index < lastApplied[kindOf(migration)] ? 'out-of-order' : 'pending' };
    const edited = checksum !== undefined && record.checksum !== null && checksum !== record.checksum;
    return { name, place, migration, state: edited ? 'edited' : 'applied', appliedAt: record.appliedAt };
  });
  const names = new Set(migrations.map(({ name }) => name));
  const missing = applied
    .filter(({ name }) => !names.has(name))
    .map(({ name, checksum, appliedAt }): MigrationStatus => {
      // Only what was a file has a checksum.
      return { name, place: checksum === null ? name : fileOf(name), state: 'missing', appliedAt };
    });
  return [...known, ...missing];
}

const kindOf = ({ checksum }: Migration): 'file' | 'class' => (checksum === undefined ? 'class' : 'file');
