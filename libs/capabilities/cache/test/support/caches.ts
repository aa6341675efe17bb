import { CacheModule } from '../../src/index.js';
import { RedisModule } from '@core-infra/redis';
import { type Importable, uniqueName } from '@core-infra/testing';

type Modules = (redisUrl: string, keyPrefix?: string) => Importable[];

/** Both drivers, for specs of what stands on a `Cache`; each call has keys of its own unless it is given a prefix. */
export const caches: [driver: string, modules: Modules][] = [
  ['memory', () => [CacheModule.forRoot()]],
  [
    'redis',
    (url, keyPrefix = uniqueName('cache')) => [
      RedisModule.forRoot({ url, startup: 'require' }),
      CacheModule.forRoot({ driver: 'redis', startup: 'require', redis: { keyPrefix } }),
    ],
  ],
];
