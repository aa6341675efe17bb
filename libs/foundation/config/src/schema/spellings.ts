import { camelKey } from '../sources/tree.js';

/** Every way to write a key: `poolSize`, `pool_size`, `pool-size`; the given one first. */
export function spellings(key: string): string[] {
  const camel = camelKey(key);
  const parts = camel
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(' ');
  return [...new Set([key, camel, parts.join('_'), parts.join('-')])];
}
