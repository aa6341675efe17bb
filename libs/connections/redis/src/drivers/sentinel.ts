import type { DriverSite, Opened } from '@core-infra/kernel';
import { Redis } from 'ioredis';
import type { RedisConfig } from '../config/redis.config.js';
import type { RedisClient } from '../redis.client.js';
import { sentinelOptions } from './ioredis-options.js';
import { openClient } from './open-client.js';

/** The master that sentinels name, whichever server that is at the time. */
export function sentinel(config: RedisConfig, at: DriverSite): Promise<Opened<RedisClient>> {
  return openClient(config, at, () => new Redis(sentinelOptions(config, at)));
}
