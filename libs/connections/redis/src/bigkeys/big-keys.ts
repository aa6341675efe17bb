import type { Cluster, Redis } from 'ioredis';
import { isCluster } from '../commands/internals.js';

export interface BigKeysOptions {
  /** Glob pattern of Redis. @default '*' */
  readonly match?: string;
  /** How many of the biggest. @default 20 */
  readonly limit?: number;
  /** Of how many elements of a large value the size is estimated; 0 counts all of them, which takes the server its time. @default 5 */
  readonly samples?: number;
  readonly signal?: AbortSignal;
  /** Called after each page. */
  readonly progress?: (seen: number) => void;
}

export interface BigKey {
  readonly key: string;
  readonly type: string;
  /** With Redis's own overhead. */
  readonly bytes: number;
  /** Characters of a string, elements of anything else. */
  readonly length: number | undefined;
  /** Milliseconds to live; `undefined` when it lives for ever. */
  readonly ttlMs: number | undefined;
}

/** Keys that the server looks at in one step. */
const STEP = 100;
const lengths: Readonly<Record<string, string>> = {
  string: 'STRLEN',
  list: 'LLEN',
  hash: 'HLEN',
  set: 'SCARD',
  zset: 'ZCARD',
  stream: 'XLEN',
};

interface Found {
  readonly node: Redis;
  readonly key: Buffer;
  readonly bytes: number;
}

/** The keys that take the most memory, biggest first, by `SCAN` in small steps; on a cluster, of all masters. */
export async function bigKeys(client: Redis | Cluster, options: BigKeysOptions = {}): Promise<BigKey[]> {
  const { match = '*', limit = 20, samples = 5, signal, progress } = options;
  let biggest: Found[] = [];
  let seen = 0;
  for (const node of isCluster(client) ? client.nodes('master') : [client]) {
    let cursor = '0';
    do {
      signal?.throwIfAborted();
      const [next, keys] = (await node.callBuffer('SCAN', cursor, 'MATCH', match, 'COUNT', STEP)) as [Buffer, Buffer[]];
      cursor = String(next);
      biggest = merge(biggest, await sizesOf(node, keys, samples), limit);
      progress?.((seen += keys.length));
    } while (cursor !== '0');
  }
  return Promise.all(biggest.map(describe));
}

/** `SCAN` may name a key twice. */
function merge(biggest: readonly Found[], found: readonly Found[], limit: number): Found[] {
  const known = new Set(biggest.map(({ key }) => key.toString('latin1')));
  const fresh = found.filter(({ key }) => !known.has(key.toString('latin1')));
  return [...biggest, ...fresh].sort((a, b) => b.bytes - a.bytes).slice(0, limit);
}

async function sizesOf(node: Redis, keys: readonly Buffer[], samples: number): Promise<Found[]> {
  const pipeline = node.pipeline();
  for (const key of keys) pipeline.call('MEMORY', 'USAGE', key, 'SAMPLES', samples);
  const replies = (await pipeline.exec()) ?? [];
  return keys.flatMap((key, at) => {
    const [error, bytes] = replies[at]!;
    if (error) throw error;
    // One that has gone meanwhile has no size.
    return typeof bytes === 'number' ? [{ node, key, bytes }] : [];
  });
}

async function describe({ node, key, bytes }: Found): Promise<BigKey> {
  const type = String(await node.call('TYPE', key));
  const command = lengths[type];
  const [length, ttl] = await Promise.all([command && node.call(command, key), node.call('PTTL', key)]);
  return {
    key: key.toString(),
    type,
    bytes,
    length: typeof length === 'number' ? length : undefined,
    ttlMs: typeof ttl === 'number' && ttl >= 0 ? ttl : undefined,
  };
}
