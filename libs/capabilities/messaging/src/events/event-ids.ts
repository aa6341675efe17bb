import { randomUUID } from 'node:crypto';

/** A UUID of version 7 (RFC 9562): ids ascend with time, which indexes like. */
export function uuidV7(now: number): string {
  const hex = now.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}
