import type { DriverSite, Opened } from '@core-infra/kernel';
import { Cluster } from 'ioredis';
import type { RedisConfig } from '../config/redis.config.js';
import type { RedisClient } from '../redis.client.js';
import { clusterNodes, clusterOptions } from './ioredis-options.js';
import { openClient } from './open-client.js';

/** All masters of a cluster, and its replicas where `scaleReads` asks for them. */
export function cluster(config: RedisConfig, at: DriverSite): Promise<Opened<RedisClient>> {
  return openClient(config, at, () => new Cluster(clusterNodes(config), clusterOptions(config, at)));
}
