import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import type { RedisClient } from '../redis.client.js';

const duplicates = new WeakMap<RedisClient, Set<Redis | Cluster>>();

/**
 * A further connection to the same server, for blocking commands and subscriptions. It connects at once, reconnects by itself, and is closed
 * with the connection that it came from.
 */
export function duplicateOf(client: RedisClient, options: Partial<RedisOptions> = {}): RedisClient {
  const origin = client as unknown as Redis | Cluster;
  const copy = origin.isCluster
    ? (origin as Cluster).duplicate([], { redisOptions: options } as ClusterOptions)
    : (origin as Redis).duplicate(options);
  copy.on('error', () => undefined);
  const all = duplicates.get(client) ?? new Set();
  duplicates.set(client, all.add(copy));
  copy.once('end', () => all.delete(copy));
  if (copy.status === 'wait') copy.connect().catch(() => undefined);
  return copy as unknown as RedisClient;
}

export function closeDuplicates(client: RedisClient): void {
  for (const copy of duplicates.get(client) ?? []) copy.disconnect();
}
