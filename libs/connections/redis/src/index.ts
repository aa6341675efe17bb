export { availabilityOf, type RedisAvailability } from './availability/availability.js';
export { type BigKey, bigKeys, type BigKeysOptions } from './bigkeys/big-keys.js';
export { classifyRedis } from './classify.js';
export { RedisClusterConfig } from './config/cluster.config.js';
export { RedisHealthConfig } from './config/health.config.js';
export { RedisConfig } from './config/redis.config.js';
export { RedisRetryConfig } from './config/retry.config.js';
export { RedisSentinelConfig } from './config/sentinel.config.js';
export { RedisTlsConfig } from './config/tls.config.js';
export { duplicateOf } from './drivers/duplicates.js';
export {
  ForeignRedisClientError,
  InsecureRedisError,
  RedisCommandLineError,
  RedisDatabaseError,
  RedisLoginError,
  RedisTimeoutError,
  RedisTlsError,
  RedisTlsFileError,
  RedisTopologyError,
  RedisUnavailableError,
  WrongRedisClientError,
} from './errors.js';
export { RedisClient } from './redis.client.js';
export { getRedisToken, InjectRedis, type RedisFeature, RedisModule, type RedisOptions } from './redis.module.js';
export { scanKeys, type ScanKeysOptions } from './scan/scan-keys.js';
export { luaScript, type LuaScript, type LuaScriptOptions } from './scripts/lua-script.js';
export { keyPrefixOf, prefixedClient } from './views/prefixed-client.js';
// What every user of the package needs of its client.
export { Cluster, Redis } from 'ioredis';
