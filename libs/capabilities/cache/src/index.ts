export {
  Cache,
  type CachedLoader,
  type EntryOptions,
  type GetOrSetOptions,
  type Load,
  type LoadContext,
  type LoaderDefinition,
} from './cache.js';
export { CodecConfig } from './codec/codec.config.js';
export { createCodec } from './codec/create-codec.js';
export { EncryptionConfig } from './codec/encryption.config.js';
export { NoZstdError, UnserialisableValueError, ValueTooLargeError } from './codec/errors.js';
export type { EncryptionKey } from './codec/key-ring.js';
export type { CodecSite, ValueCodec } from './codec/value.codec.js';
export { CacheEvict, type CacheEvictOptions } from './decorators/cache-evict.decorator.js';
export { Cached, type CachedOptions } from './decorators/cached.decorator.js';
export { CachedNotWiredError, EvictNothingError, NoCacheKeyError } from './decorators/errors.js';
export { CacheConfig, CacheMemoryConfig, CacheRedisConfig } from './cache.config.js';
export { CacheModule, type CacheOptions, getCacheToken, InjectCache } from './cache.module.js';
export { InvalidCacheKeyError, InvalidCacheOptionError, LoadCycleError, LoadTimeoutError } from './errors.js';
export { type CacheEvent, type CacheEventKind, cacheEvents, type CacheStats } from './events/cache-events.js';
export { CacheResponse } from './http/cache-response.decorator.js';
export type { CacheResponseOptions, VaryBy } from './http/cache-response.options.js';
export { InvalidResponseCacheError } from './http/errors.js';
export { HttpCache } from './http/http-cache.js';
export { HttpCacheConfig } from './http/http-cache.config.js';
export { HttpCacheModule } from './http/http-cache.module.js';
export { SessionContendedError, SessionsInTiersError, SessionsUnavailableError } from './session/errors.js';
export {
  expressSessionStore,
  fastifySessionStore,
  type SessionAway,
  type SessionStoreMethods,
} from './session/middleware.store.js';
export { type Session, Sessions } from './session/sessions.js';
export { SessionsConfig } from './session/sessions.config.js';
export { getSessionsToken, InjectSessions, SessionsModule, type SessionsOptions } from './session/sessions.module.js';
export { newSessionId } from './session/stored.sessions.js';
export {
  CacheWarmer,
  type CacheWarmerOptions,
  type CacheWarming,
  type WarmingLoad,
} from './warming/cache-warmer.decorator.js';
export { CacheWarmingConfig } from './warming/cache-warming.config.js';
export { CacheWarmingModule } from './warming/cache-warming.module.js';
export { DuplicateWarmerError } from './warming/errors.js';
