import { MemoryStorage } from '@openfeature/flagd-core';
import type { FlagDefinition, FlagDocument } from '../flag-document.js';
import { type ContextBuilder, onClock } from './attributes.js';
import { CompiledFlag } from './compiled-flag.js';
import { resolved } from './references.js';

/** All flags that are in force at one time. It never changes: the next set is another one. */
export interface FlagSet {
  readonly flags: ReadonlyMap<string, CompiledFlag>;
  readonly document: FlagDocument;
}

const silent = () => undefined;
const silentLogger = { debug: silent, info: silent, warn: silent, error: silent };

/**
 * Compiles a document that was validated.
 * @param under flags that are in force where the document has none of that name
 */
export function compileFlags(
  document: FlagDocument,
  under: Readonly<Record<string, FlagDefinition>>,
  contexts: ContextBuilder,
): FlagSet {
  const merged = deepFrozen(structuredClone({ ...document, flags: { ...under, ...document.flags } }));
  const storage = new MemoryStorage(silentLogger);
  const { $evaluators, ...rest } = merged;
  const definitions = resolved(merged.flags, $evaluators);
  storage.setConfigurations(JSON.stringify(onClock({ ...rest, flags: definitions })));
  const flags = new Map<string, CompiledFlag>();
  for (const [key, definition] of Object.entries(definitions)) {
    const flagd = storage.getFlag(key);
    if (flagd) flags.set(key, new CompiledFlag(key, definition, flagd, contexts));
  }
  for (const flag of flags.values()) flag.link(flags);
  return { flags, document: merged };
}

/** Callers are handed the values themselves; what one of them changes would be changed for all. */
function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) deepFrozen(part);
  return Object.freeze(value);
}
