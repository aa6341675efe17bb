import { randomBytes } from 'node:crypto';

/**
 * A name that nobody else has: `orders` → `orders_9f86d081884c`. Lower-case letters, digits and `_`, so that it is a
 * database, a schema, a topic or a key alike.
 */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`;
}
