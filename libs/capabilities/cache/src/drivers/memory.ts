import type { DriverSite, Opened } from '@core-infra/kernel';
import type { Cache } from '../cache.js';
import type { CacheConfig } from '../cache.config.js';
import { assembleCache } from '../assemble-cache.js';

/** In this process alone. */
export async function memory(config: CacheConfig, at: DriverSite): Promise<Opened<Cache>> {
  const { cache, stats, close } = await assembleCache(config, at);
  return { client: cache, address: 'memory', check: () => ({ ...stats() }), close };
}
