import { type DynamicModule, type FactoryProvider, Module, type Provider } from '@nestjs/common';
import { type ConfigInput, defineConcern } from '@core-infra/kernel';
import { Cluster, Redis } from 'ioredis';
import { asCluster, asRedis } from './also/stand-in.js';
import { classifyRedis } from './classify.js';
import { RedisConfig } from './config/redis.config.js';
import { cluster } from './drivers/cluster.js';
import { sentinel } from './drivers/sentinel.js';
import { standalone } from './drivers/standalone.js';
import { RedisClient } from './redis.client.js';
import { prefixedClient } from './views/prefixed-client.js';

/** What `forRoot` takes. */
export type RedisOptions = ConfigInput<RedisConfig>;

/** What `forFeature` takes. */
export interface RedisFeature {
  /** Put before every key of this module: `orders:`. @default '' */
  readonly keyPrefix?: string;
  /** Name of the connection. @default 'default' */
  readonly name?: string;
}

const redis = defineConcern<RedisConfig, RedisClient>({
  name: 'redis',
  port: RedisClient,
  also: [
    { token: Redis, from: asRedis },
    { token: Cluster, from: asCluster },
  ],
  config: RedisConfig,
  classify: classifyRedis,
  drivers: { standalone, cluster, sentinel },
});

/** DI token of a connection: `RedisClient` itself for the default one. */
export const getRedisToken = redis.token;

/** Injects a connection by its name. */
export const InjectRedis = redis.Inject;

/** Redis: {@link RedisClient} by type; ioredis's own `Redis` or `Cluster` too, whichever the driver opens. */
@Module({})
export class RedisModule extends redis.ConcernModule {
  /** Re-binds the plain types to a named connection, inside the importing module only. */
  static override forFeature(name: string): DynamicModule;
  /** The same with a prefix before every key, over the same connection. */
  static override forFeature(feature: RedisFeature): DynamicModule;
  static override forFeature(feature: string | RedisFeature): DynamicModule {
    if (typeof feature === 'string') return super.forFeature(feature);
    const { name = 'default', keyPrefix = '' } = feature;
    const bound = super.forFeature(name);
    const providers = bound.providers?.map(provider => prefixing(provider, name, keyPrefix));
    return { ...bound, providers };
  }
}

/** The providers of the plain `forFeature`, with the prefix in them. */
function prefixing(provider: Provider, name: string, keyPrefix: string): Provider {
  if ('provide' in provider && provider.provide === RedisClient) {
    const { useFactory, ...rest } = provider as FactoryProvider<RedisClient>;
    const prefixed = async (...args: unknown[]) => prefixedClient(await useFactory(...args), keyPrefix);
    return { ...rest, useFactory: prefixed };
  }
  // What the kernel refuses two different ones of in one module by: another prefix is another binding.
  if ('useValue' in provider && typeof provider.useValue === 'object') {
    const binding = provider.useValue as object;
    const named = Object.assign(Object.create(Object.getPrototypeOf(binding) as object) as object, binding, {
      name: `${name} with keyPrefix ${keyPrefix}`,
    });
    return { ...provider, useValue: named };
  }
  return provider;
}
