export { availabilityOf, type RedisAvailability } from './availability/availability.js';
export { duplicateOf } from './drivers/duplicates.js';
export { RedisUnavailableError } from './errors.js';
export { RedisClient } from './redis.client.js';
export { RedisConfig } from './redis.config.js';
export { getRedisToken, InjectRedis, RedisModule, type RedisOptions } from './redis.module.js';
export { luaScript, type LuaScript } from './scripts/lua-script.js';
