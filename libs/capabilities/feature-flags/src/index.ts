export type { FlagDefinition, FlagDocument, FlagValue } from './flag-document.js';
export type { FlagChange, FlagHistoryEntry, FlagSnapshot, FlagStore } from './flag-store.js';
