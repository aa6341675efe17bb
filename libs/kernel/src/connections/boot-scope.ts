import { AsyncLocalStorage } from 'node:async_hooks';

/** Something that can be undone when a boot fails. */
export interface Abortable {
  abortBoot(): Promise<void>;
}

/**
 * Whoever creates an application may run that in this scope, and so learn what was opened even when Nest throws
 * before it returns the application: then no shutdown hook runs, and connections would stay open.
 */
export const bootScope = new AsyncLocalStorage<Set<Abortable>>();
