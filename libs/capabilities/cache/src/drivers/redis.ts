import type { Driver } from '@core-infra/kernel';
import type { RedisClient } from '@core-infra/redis';
import { assembleCache } from '../assemble-cache.js';
import type { Cache } from '../cache.js';
import type { CacheConfig } from '../cache.config.js';
import { RedisTier } from './redis/redis-tier.js';

/** How long a boot waits for Redis where `startup` is `background`, in milliseconds. */
const FIRST_CONTACT_MS = 500;

/** In memory and in Redis, kept in step between processes. */
export const driver: Driver<CacheConfig, Cache> = async (config, at) => {
  const client = at.upstream<RedisClient>();
  let tier!: RedisTier;
  const { cache, stats, close } = await assembleCache(config, at, site => (tier = new RedisTier(client, site)));
  // A process that begins to serve before its cache is joined to the others would load what they have: a healthy Redis is worth the moment.
  await tier.whenReady(AbortSignal.timeout(FIRST_CONTACT_MS)).catch(() => undefined);
  return {
    client: cache,
    address: 'redis',
    connect: config.startup === 'require' ? signal => tier.whenReady(signal) : undefined,
    check: () => ({ ...stats(), ...tier.check() }),
    close,
  };
};
