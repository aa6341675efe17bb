import { type DriverSite, type Opened, withoutCredentials } from '@core-infra/kernel';
import { Redis } from 'ioredis';
import { watchAvailability } from '../availability/availability.js';
import { AvailabilityProbe } from '../availability/probe.js';
import type { RedisClient } from '../redis.client.js';
import type { RedisConfig } from '../redis.config.js';
import { closeDuplicates } from './duplicates.js';

/** One server. */
export function standalone(config: RedisConfig, at: DriverSite): Opened<RedisClient> {
  const redis = new Redis(config.url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    commandTimeout: config.commandTimeoutMs,
    connectTimeout: config.connectTimeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: attempt => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000) * (0.5 + Math.random() / 2),
  });
  const client = redis as unknown as RedisClient;
  const availability = new AvailabilityProbe(at.id, client, config.commandTimeoutMs);
  watchAvailability(client, availability);
  redis.on('error', error => at.logger.debug(`connection error: ${error.message}`));
  return {
    client,
    address: withoutCredentials(config.url),
    connect: async () => {
      if (redis.status === 'wait' || redis.status === 'end') await redis.connect();
      await redis.ping();
    },
    check: async () => void (await redis.ping()),
    close: () => {
      availability.close();
      closeDuplicates(client);
      redis.disconnect();
    },
  };
}
