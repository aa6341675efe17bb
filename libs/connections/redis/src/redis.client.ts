import type { EventEmitter } from 'node:events';
import type { ChainableCommander, Cluster, Redis, RedisCommander } from 'ioredis';

/**
 * What ioredis's `Redis` and `Cluster` share, to code against whatever the driver is. Every command of Redis, a pipeline, a transaction, events.
 * A key that is away is `null`; a command while the server is away rejects at once, unless the offline queue was chosen.
 */
// eslint-disable-next-line typescript/no-unsafe-declaration-merging
export abstract class RedisClient {}

export interface RedisClient extends RedisCommander, EventEmitter {
  readonly status: Redis['status'] | Cluster['status'];
  readonly isCluster: boolean;
  /** Commands sent in one write; on a cluster all their keys must be of one slot. */
  pipeline(commands?: unknown[][]): ChainableCommander;
  /** Commands that the server runs as one; on a cluster all their keys must be of one slot. */
  multi(): ChainableCommander;
}
