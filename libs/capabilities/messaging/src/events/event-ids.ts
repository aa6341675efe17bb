import { randomUUID } from 'node:crypto';

/** A UUID of version 7 (RFC 9562): ids ascend with time, which indexes like. */
export function uuidV7(now: number): string {
  return uuidAfter(prefixOf(now));
}

/** What all ids of a millisecond begin with. */
export function prefixOf(now: number): string {
  const hex = now.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
}

/** An id with this beginning. */
export function uuidAfter(prefix: string): string {
  return prefix + randomUUID().slice(15);
}
