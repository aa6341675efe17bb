import { createHash } from 'node:crypto';
import { InvalidCacheKeyError } from './errors.js';

/** Keys of more UTF-16 units than this are written to Redis as a hash. */
const LONGEST_PLAIN_KEY = 256;
const notUtf8 = /\p{Surrogate}/u;

/** A namespace's part of a path; what structures a full key is escaped in it, so that no two namespaces can meet. */
export function pathOf(parent: string, name: unknown): string {
  if (typeof name !== 'string' || name === '') throw new InvalidCacheKeyError('The name of a namespace', name);
  const part = name.replace(/[%:/{}]/g, found => `%${found.charCodeAt(0).toString(16)}`);
  return parent === '' ? part : `${parent}/${part}`;
}

/** Where the path ends and the key begins, in a full key. */
export function splitFullKey(full: string): { path: string; key: string } {
  const at = full.indexOf(':');
  return { path: full.slice(0, at), key: full.slice(at + 1) };
}

/**
 * The part of a key’s name in Redis that the full key makes: long keys, and those that UTF-8 cannot carry, are hashed. No full key is without a
 * colon, and no hash has one.
 */
export function storedName(full: string): string {
  if (full.length <= LONGEST_PLAIN_KEY && !notUtf8.test(full)) return full;
  return `#${createHash('sha256').update(Buffer.from(full, 'utf16le')).digest('base64url')}`;
}
