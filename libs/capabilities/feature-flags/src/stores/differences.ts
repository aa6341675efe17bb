import { isDeepStrictEqual } from 'node:util';
import type { FlagDefinition, FlagDocument } from '../flag-document.js';

type Definitions = Readonly<Record<string, FlagDefinition>>;

/** A flag that becomes another: a line of the history, but for who and when. */
export interface Difference {
  readonly flag: string;
  readonly from: FlagDefinition | null;
  readonly to: FlagDefinition | null;
}

/** Which of the wanted definitions are others than those that there are; as JSON keeps them. */
export function differences(
  now: Definitions,
  wanted: Readonly<Record<string, FlagDefinition | null>>,
): readonly Difference[] {
  return Object.entries(wanted).flatMap(([flag, definition]) => {
    // A flag may be named like something that every object has.
    const from = Object.hasOwn(now, flag) ? (now[flag] ?? null) : null;
    const to = definition && (JSON.parse(JSON.stringify(definition)) as FlagDefinition);
    return isDeepStrictEqual(from, to) ? [] : [{ flag, from, to }];
  });
}

/** A document after changes. */
export function withChanges(document: FlagDocument, changes: readonly Difference[]): FlagDocument {
  const flags = new Map(Object.entries(document.flags));
  for (const { flag, to } of changes)
    if (to === null) flags.delete(flag);
    else flags.set(flag, to);
  return { ...document, flags: Object.fromEntries(flags) };
}
