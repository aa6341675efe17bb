import { AsyncLocalStorage } from 'node:async_hooks';
import type { Migrator } from './migrator.js';

/** What a command wants of the app's configuration: one connection's migrations, and nothing else of the app. */
export interface MigrationScope {
  readonly connection: string;
  /** Called by the driver in place of connecting; its promise outlives a boot that fails elsewhere. */
  readonly found: (migrator: Migrator) => Promise<void>;
}

/** Set while a command boots the app to get at its configuration: drivers connect to nothing then. */
export const migrationScope = new AsyncLocalStorage<MigrationScope>();

/** Ends a boot whose purpose is fulfilled. */
export class MigrationCommandDone extends Error {
  constructor() {
    super('The migration command has what it needs; the app is not started.');
  }
}

/** Whether that is what ended a boot, whatever the kernel says around it. */
export function isMigrationCommandDone(error: unknown): boolean {
  let at = error;
  while (at instanceof Error && !(at instanceof MigrationCommandDone)) at = at.cause;
  return at instanceof MigrationCommandDone;
}
