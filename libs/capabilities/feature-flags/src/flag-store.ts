import type { FlagDefinition, FlagDocument } from './flag-document.js';

/** A set of flags with its version: a number that grows with each change. */
export interface FlagSnapshot {
  readonly version: number;
  readonly document: FlagDocument;
}

/** Who did what, for the audit trail. */
export interface FlagChange {
  readonly flag: string;
  /** What it becomes; `null` removes it. */
  readonly to: FlagDefinition | null;
  /** Who changes it: a user's name or id. */
  readonly by: string;
  /** Rejects the change when the store is at another version by now. */
  readonly ifVersion?: number;
}

/** Several flags at once. */
export interface FlagChanges {
  /** What each becomes; `null` removes it. */
  readonly flags: Readonly<Record<string, FlagDefinition | null>>;
  /** Who changes them: a user's name or id. */
  readonly by: string;
  /** Rejects the changes when the store is at another version by now. */
  readonly ifVersion?: number;
}

/** One line of the audit trail. */
export interface FlagHistoryEntry {
  readonly version: number;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly flag: string;
  readonly from: FlagDefinition | null;
  readonly to: FlagDefinition | null;
}

/** Where flags live. A driver provides one; the evaluator is handed each snapshot, whole and validated. */
export interface FlagStore {
  /** Reads what is there now. @throws InfraError when it cannot be read or is not valid */
  read(): Promise<FlagSnapshot>;
  /** Calls back with each later snapshot, and with the error of one that was refused. @returns a function that ends it */
  watch(onSnapshot: (snapshot: FlagSnapshot) => void, onError: (error: unknown) => void): Promise<() => Promise<void>>;
  /** Changes one flag, atomically, with its line in the history. @throws where the store cannot be written */
  change(change: FlagChange): Promise<FlagSnapshot>;
  /** Changes all of these flags or none, as one version; each that becomes another has its line in the history. @throws as `change` does */
  changeAll(changes: FlagChanges): Promise<FlagSnapshot>;
  /** Newest first. */
  history(options?: { flag?: string; limit?: number }): Promise<readonly FlagHistoryEntry[]>;
}
