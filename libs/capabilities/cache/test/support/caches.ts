import type { Importable } from '@core-infra/testing';
import { MapCacheModule } from './map.cache.js';

/** What a spec of something that stands on a `Cache` runs on. */
export const caches: [name: string, modules: (redisUrl: string) => Importable[]][] = [['fake', () => [MapCacheModule]]];
