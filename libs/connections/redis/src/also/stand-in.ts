import { Cluster, Redis } from 'ioredis';
import { WrongRedisClientError } from '../errors.js';
import type { RedisClient } from '../redis.client.js';

/** What Nest, promises and inspection ask of any object: they get nothing, where code that uses the client gets the error. */
const probes = new Set<PropertyKey>([
  'then',
  'constructor',
  'prototype',
  'toJSON',
  'asymmetricMatch',
  'onModuleInit',
  'onModuleDestroy',
  'onApplicationBootstrap',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

/** The client as ioredis's `Redis`, where the driver opens one; else a stand-in that says so when it is used. */
export function asRedis(client: RedisClient): unknown {
  return client instanceof Redis ? client : standIn('Redis', 'cluster');
}

/** The client as ioredis's `Cluster`, where the driver opens one; else a stand-in that says so when it is used. */
export function asCluster(client: RedisClient): unknown {
  return client instanceof Cluster ? client : standIn('Cluster', 'standalone" or "sentinel');
}

/** Nest makes every provider, whether somebody injects it or not: so it must be harmless until somebody uses it. */
function standIn(wanted: string, driver: string): object {
  const refuse = (key: PropertyKey): undefined => {
    if (typeof key === 'symbol' || probes.has(key)) return undefined;
    throw new WrongRedisClientError(wanted, driver);
  };
  return new Proxy(Object.freeze({}), {
    get: (_target, key) => refuse(key),
    set: (_target, key) => refuse(key) ?? false,
  });
}
