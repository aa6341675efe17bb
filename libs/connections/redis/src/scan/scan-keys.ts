import type { Cluster, Redis } from 'ioredis';
import { isCluster } from '../commands/internals.js';
import { escapeGlob } from '../commands/key-space.js';
import type { RedisClient } from '../redis.client.js';
import { keyPrefixOf, originOf } from '../views/prefixed-client.js';

export interface ScanKeysOptions {
  /** Glob pattern of Redis, counted from the client's own prefix. @default '*' */
  readonly match?: string;
  /** About how many keys the server looks at in one step. @default 250 */
  readonly count?: number;
  /** Only keys of this type: `string`, `hash`, … */
  readonly type?: string;
  readonly signal?: AbortSignal;
}

/**
 * Pages of keys, by `SCAN` in small steps, on a cluster of all its masters. Keys come without the client's prefix. As with `SCAN`, a key may
 * come twice, and one that comes or goes meanwhile may be seen or not; a page may be empty.
 */
export async function* scanKeys(
  client: RedisClient,
  options: ScanKeysOptions = {},
): AsyncGenerator<string[], void, void> {
  const { match = '*', count = 250, type, signal } = options;
  const ofType = type === undefined ? [] : (['TYPE', type] as const);
  const origin = originOf(client) as unknown as Redis | Cluster;
  // A cluster's nodes are clients of their own, which know no prefix.
  const prefix = isCluster(origin) ? keyPrefixOf(client) : '';
  const nodes = isCluster(origin) ? origin.nodes('master') : [client as unknown as Redis];
  const pattern = escapeGlob(prefix) + match;
  for (const node of nodes) {
    let cursor = '0';
    do {
      signal?.throwIfAborted();
      const page = await node.scan(cursor, 'MATCH', pattern, 'COUNT', count, ...(ofType as []));
      cursor = page[0];
      yield page[1].map(key => key.slice(prefix.length));
    } while (cursor !== '0');
  }
}
