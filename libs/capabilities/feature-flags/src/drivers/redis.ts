import type { Driver, DriverSite } from '@core-infra/kernel';
import { availabilityOf, duplicateOf, luaScript, type RedisClient } from '@core-infra/redis';
import type { FeatureFlags } from '../feature-flags.js';
import type { FeatureFlagsConfig } from '../feature-flags.config.js';
import { SnapshotFile } from '../snapshot/snapshot.file.js';
import { snapshotPlace } from '../snapshot/snapshot-place.js';
import { RedisFlagStore } from '../stores/redis/redis-flag.store.js';
import type { RedisFlagsConfig } from '../stores/redis/redis-flags.config.js';
import type { RedisLink } from '../stores/redis/redis.link.js';
import type { Parse } from '../stores/redis/stored-flags.js';
import { openFlags } from './open-flags.js';

/** Flags in Redis. */
export const driver: Driver<FeatureFlagsConfig, FeatureFlags> = (config, at) =>
  openFlags(config, at, {
    address: 'Redis',
    source: 'Redis',
    store: parse => openRedisStore(config.redis, at, parse),
    storeLogs: true,
  });

/** The store of flags in the Redis that this concern stands on. */
export function openRedisStore(config: RedisFlagsConfig, at: DriverSite, parse: Parse): RedisFlagStore {
  const client = at.upstream<RedisClient>();
  const { logger, clock } = at;
  const place = config.snapshotFile ?? snapshotPlace(at.app.name, at.id, addressOf(client), config.key);
  const snapshot = place === '' ? undefined : new SnapshotFile(place, problem => logger.warn(problem));
  return new RedisFlagStore(redisLink(client), { config, parse, clock, logger, snapshot });
}

function redisLink(client: RedisClient): RedisLink {
  const availability = availabilityOf(client);
  return {
    get isAvailable() {
      return availability.isAvailable;
    },
    onChange: listener => availability.onChange(listener),
    script: spec => {
      const script = luaScript(spec);
      return (keys, args) => availability.run(() => script.run(client, keys, args));
    },
    lrange: (key, start, stop) => availability.run(() => client.lrange(key, start, stop)),
    listen: (channel, onMessage, onReady) => {
      const hearing = duplicateOf(client) as RedisClient & { disconnect(reconnect?: boolean): void };
      hearing.on('message', (from: string, text: string) => from === channel && onMessage(text));
      // A subscription that fails is made again with the next connection, and until then changes are looked for.
      const subscribe = () => hearing.subscribe(channel).then(onReady, () => undefined);
      hearing.on('ready', () => void subscribe());
      if (hearing.status === 'ready') void subscribe();
      return {
        reconnect: () => hearing.disconnect(true),
        end: () => Promise.resolve(hearing.disconnect()),
      };
    },
  };
}

/** Tells servers from each other, without credentials. */
function addressOf(client: RedisClient): string {
  const { options, startupNodes } = client as unknown as {
    options?: { host?: string; port?: number; path?: string; db?: number; name?: string; keyPrefix?: string };
    startupNodes?: unknown;
  };
  const { host, port, path, db, name, keyPrefix } = options ?? {};
  return JSON.stringify([host, port, path, db, name, keyPrefix, startupNodes]);
}
