import type { DriverSite, Opened } from '@core-infra/kernel';
import { Redis } from 'ioredis';
import type { RedisConfig } from '../config/redis.config.js';
import type { RedisClient } from '../redis.client.js';
import { redisOptions } from './ioredis-options.js';
import { openClient } from './open-client.js';

/** One server. */
export function standalone(config: RedisConfig, at: DriverSite): Promise<Opened<RedisClient>> {
  return openClient(config, at, () => new Redis(redisOptions(config, at)));
}
