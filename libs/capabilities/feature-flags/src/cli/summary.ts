import type { ListedFlag } from '../admin/flag-editor.js';
import type { FlagDefinition } from '../flag-document.js';
import type { FlagHistoryEntry } from '../flag-store.js';

type Cells = Record<string, unknown>;

/** A row that is short in a table, and whole with `--json`. */
export function row(cells: Cells, whole: object): Cells {
  return Object.defineProperty({ ...cells }, 'toJSON', { value: () => whole });
}

export function cellsOf({ flag, source, definition }: ListedFlag): Cells {
  return { flag, ...summaryOf(definition), source };
}

export function changeCells({ at, by, version, ...change }: FlagHistoryEntry): Cells {
  return { at, by, ...shortChange(change), version };
}

export function shortChange({ flag, from, to }: Pick<FlagHistoryEntry, 'flag' | 'from' | 'to'>): Cells {
  return { flag, from: shortly(from), to: shortly(to) };
}

function summaryOf({ state, defaultVariant, variants, targeting, metadata }: FlagDefinition): Cells {
  return {
    state,
    default: defaultVariant ?? undefined,
    rules: rulesOf(targeting),
    variants: Object.keys(variants).join(', '),
    requires: metadata?.['requires'],
  };
}

/** What a definition is, in a word: for a line of the history. */
function shortly(definition: FlagDefinition | null): string | undefined {
  if (!definition) return undefined;
  const { state, default: fallback, rules } = summaryOf(definition);
  return [state === 'DISABLED' ? 'disabled' : fallback, rules].filter(Boolean).join(', ');
}

/** `20% on` for a percentage alone; others are only named. */
function rulesOf(targeting: unknown): string | undefined {
  const rollout = shareOf(targeting);
  if (rollout !== undefined) return rollout;
  if (typeof targeting !== 'object' || targeting === null || Object.keys(targeting).length === 0) return undefined;
  const branches = (targeting as { if?: unknown[] }).if;
  const last = Array.isArray(branches) && branches.length % 2 === 1 ? shareOf(branches.at(-1)) : undefined;
  return last === undefined ? 'rules' : `rules, else ${last}`;
}

function shareOf(targeting: unknown): string | undefined {
  const parts = (targeting as { fractional?: unknown } | null | undefined)?.fractional;
  if (!Array.isArray(parts)) return undefined;
  const buckets = parts.filter(Array.isArray) as [unknown, number?][];
  const total = buckets.reduce((sum, [, weight = 1]) => sum + weight, 0);
  if (buckets.length < 2 || !(total > 0)) return undefined;
  const shares = buckets.map(([name, weight = 1]) => `${Number(((weight / total) * 100).toFixed(3))}% ${String(name)}`);
  return shares.slice(0, buckets.length === 2 ? 1 : undefined).join(', ');
}
