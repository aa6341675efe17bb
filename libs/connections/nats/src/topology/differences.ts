import { isDeepStrictEqual } from 'node:util';

/** JetStream's fields that are durations, in nanoseconds. */
const durations = new Set([
  'max_age',
  'duplicate_window',
  'ack_wait',
  'backoff',
  'inactive_threshold',
  'max_expires',
  'idle_heartbeat',
  'subject_delete_marker_ttl',
]);
/** What a server leaves out when it has its default. */
const left = new Map<string, unknown>([
  ['allow_msg_schedules', false],
  ['allow_msg_ttl', false],
  ['allow_direct', false],
  ['filter_subject', ''],
  ['max_deliver', -1],
]);

/** Each field that is declared and differs, in words; fields that are not declared are the server's own matter. */
export function differences(declared: object, existing: object): string[] {
  const has = existing as Record<string, unknown>;
  return Object.entries(declared)
    .filter(([field, value]) => value !== undefined && !same(field, value, has[field]))
    .map(([field, value]) => `${field}: ${words(field, value)} is declared, it has ${words(field, has[field])}`);
}

function same(field: string, declared: unknown, existing: unknown): boolean {
  if (existing === undefined) return isDeepStrictEqual(declared, left.get(field));
  // A server adds marks of its own.
  if (field === 'metadata')
    return Object.entries(declared as object).every(
      ([key, value]) => (existing as Record<string, unknown>)[key] === value,
    );
  return isDeepStrictEqual(order(field, declared), order(field, existing));
}

/** Subjects are a set, pauses are a sequence. */
function order(field: string, value: unknown): unknown {
  return Array.isArray(value) && field.includes('subjects')
    ? [...(value as string[])].sort((a, b) => (a < b ? -1 : 1))
    : value;
}

function words(field: string, value: unknown): string {
  if (value === undefined) return 'none';
  if (durations.has(field))
    return [value]
      .flat()
      .map(each => `${Number(each) / 1e6} ms`)
      .join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
