import { type ConfigInput, defineConcern, type DriverSite, lazyDriver, type Opened } from '@core-infra/kernel';
import { Module } from '@nestjs/common';
import type { Cache } from '../cache.js';
import { createCodec } from '../codec/create-codec.js';
import { TieredCache } from '../tiered-cache.js';
import { CacheStorage } from './cache.storage.js';
import { SessionsInTiersError } from './errors.js';
import { Sessions } from './sessions.js';
import { SessionsConfig } from './sessions.config.js';
import { StoredSessions } from './stored.sessions.js';

/** What `forRoot` takes. */
export type SessionsOptions = ConfigInput<SessionsConfig>;

async function cache(config: SessionsConfig, at: DriverSite): Promise<Opened<Sessions>> {
  const kept = at.upstream<Cache>();
  if (kept instanceof TieredCache && kept.isShared) throw new SessionsInTiersError(at.id);
  const storage = new CacheStorage(kept, config.keyPrefix, at.clock);
  return { client: new StoredSessions(storage, await createCodec(config.codec, at), config, at) };
}

const sessions = defineConcern<SessionsConfig, Sessions>({
  name: 'sessions',
  port: Sessions,
  config: SessionsConfig,
  upstreams: { cache: 'cache', redis: 'redis' },
  drivers: {
    cache,
    redis: lazyDriver(() => import('../drivers/redis-sessions.js'), ['@core-infra/redis', 'ioredis@^5.11']),
  },
});

/** DI token of the sessions of a name: {@link Sessions} itself for the default ones. */
export const getSessionsToken = sessions.token;

/** Injects sessions by their name. */
export const InjectSessions = sessions.Inject;

/** Sessions: {@link Sessions} by type. */
@Module({})
export class SessionsModule extends sessions.ConcernModule {}
