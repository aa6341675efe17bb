import { Module } from '@nestjs/common';
import { type ConfigInput, defineConcern } from '@core-infra/kernel';
import { standalone } from './drivers/standalone.js';
import { RedisClient } from './redis.client.js';
import { RedisConfig } from './redis.config.js';

/** What `forRoot` takes. */
export type RedisOptions = ConfigInput<RedisConfig>;

const redis = defineConcern<RedisConfig, RedisClient>({
  name: 'redis',
  port: RedisClient,
  config: RedisConfig,
  drivers: { standalone },
});

/** DI token of a connection: `RedisClient` itself for the default one. */
export const getRedisToken = redis.token;

/** Injects a connection by its name. */
export const InjectRedis = redis.Inject;

/** Redis: {@link RedisClient} by type. */
@Module({})
export class RedisModule extends redis.ConcernModule {}
