import type { FlagHistoryEntry } from '../flag-store.js';

/** A line of the audit trail as JSON; `undefined` for one that somebody else wrote. */
export function parseHistoryLine(line: string): FlagHistoryEntry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<FlagHistoryEntry> | null;
    const { version, at, by, flag, from = null, to = null } = entry ?? {};
    const whole =
      typeof version === 'number' && typeof at === 'string' && typeof by === 'string' && typeof flag === 'string';
    return whole ? { version, at, by, flag, from, to } : undefined;
  } catch {
    return undefined; // a line that was cut off, as at the end of a full disk, hides no other
  }
}
