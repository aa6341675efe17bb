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

/** One step of a scan. */
export interface ScannedPage {
  /** Who was asked. */
  readonly node: Redis;
  /** What `node` leaves to its callers to put before keys: a cluster's nodes are clients of their own, which know no prefix. */
  readonly prefix: string;
  /** Without the client's prefix. */
  readonly keys: readonly Buffer[];
}

/**
 * Pages of keys, by `SCAN` in small steps, on a cluster of all its masters. Keys come without the client's prefix. As with `SCAN`, a key may
 * come twice, and one that comes or goes meanwhile may be seen or not; a page may be empty.
 */
export async function* scanKeys(
  client: RedisClient,
  options: ScanKeysOptions = {},
): AsyncGenerator<string[], void, void> {
  for await (const { keys } of scanPages(client, options)) yield keys.map(String);
}

/** The same with what is needed to ask for more about the keys. */
export async function* scanPages(
  client: RedisClient,
  { match = '*', count = 250, type, signal }: ScanKeysOptions,
): AsyncGenerator<ScannedPage, void, void> {
  const ofType = type === undefined ? [] : (['TYPE', type] as const);
  const origin = originOf(client) as unknown as Redis | Cluster;
  const prefix = isCluster(origin) ? keyPrefixOf(client) : '';
  const nodes = isCluster(origin) ? origin.nodes('master') : [client as unknown as Redis];
  const pattern = escapeGlob(prefix) + match;
  const skipped = Buffer.byteLength(prefix);
  for (const node of nodes) {
    let cursor = '0';
    do {
      signal?.throwIfAborted();
      const [next, found] = await node.scanBuffer(cursor, 'MATCH', pattern, 'COUNT', count, ...(ofType as []));
      cursor = String(next);
      yield { node, prefix, keys: found.map(key => key.subarray(skipped)) };
    } while (cursor !== '0');
  }
}
