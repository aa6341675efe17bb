import type { Redis } from 'ioredis';
import type { RedisClient } from '../redis.client.js';
import { scanPages, type ScannedPage } from '../scan/scan-keys.js';

export interface BigKeysOptions {
  /** Glob pattern of Redis, counted from the client's own prefix. @default '*' */
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
  /** Without the client's prefix. */
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
  readonly name: Buffer;
  /** As it is given to commands of `node`. */
  readonly key: Buffer;
  readonly bytes: number;
}

/** The keys that take the most memory, biggest first, by `SCAN` in small steps; on a cluster, of all masters. */
export async function bigKeys(client: RedisClient, options: BigKeysOptions = {}): Promise<BigKey[]> {
  const { match, limit = 20, samples = 5, signal, progress } = options;
  let biggest: Found[] = [];
  let seen = 0;
  for await (const page of scanPages(client, { match, count: STEP, signal })) {
    biggest = merge(biggest, await sizesOf(page, samples), limit);
    progress?.((seen += page.keys.length));
  }
  return Promise.all(biggest.map(describe));
}

/** `SCAN` may name a key twice. */
function merge(biggest: readonly Found[], found: readonly Found[], limit: number): Found[] {
  const distinct = new Map([...biggest, ...found].map(each => [each.name.toString('latin1'), each]));
  return [...distinct.values()].sort((a, b) => b.bytes - a.bytes).slice(0, limit);
}

async function sizesOf({ node, prefix, keys }: ScannedPage, samples: number): Promise<Found[]> {
  const pipeline = node.pipeline();
  for (const key of keys) pipeline.call('MEMORY', 'USAGE', prefixed(prefix, key), 'SAMPLES', samples);
  const replies = (await pipeline.exec()) ?? [];
  return keys.flatMap((name, at) => {
    const [error, bytes] = replies[at]!;
    if (error) throw error;
    // One that has gone meanwhile has no size.
    return typeof bytes === 'number' ? [{ node, name, key: prefixed(prefix, name), bytes }] : [];
  });
}

async function describe({ node, name, key, bytes }: Found): Promise<BigKey> {
  const type = String(await node.call('TYPE', key));
  const command = lengths[type];
  const [length, ttl] = await Promise.all([command && node.call(command, key), node.call('PTTL', key)]);
  return {
    key: name.toString(),
    type,
    bytes,
    length: typeof length === 'number' ? length : undefined,
    ttlMs: typeof ttl === 'number' && ttl >= 0 ? ttl : undefined,
  };
}

function prefixed(prefix: string, key: Buffer): Buffer {
  return prefix === '' ? key : Buffer.concat([Buffer.from(prefix), key]);
}
