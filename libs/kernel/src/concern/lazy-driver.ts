import type { Driver } from './concern.js';
import { importPackage } from './import-package.js';

/**
 * A driver whose file, and so whose packages, are loaded only when it is used.
 *
 * @param load imports the driver's file, relatively: `() => import('./drivers/redis.js')`; it exports `driver`
 * @param install what to install when a package is missing, with its version: `['ioredis@^5.11']`
 */
export function lazyDriver<Config, Client>(
  load: () => Promise<{ driver: Driver<Config, Client> }>,
  install: readonly string[],
): Driver<Config, Client> {
  return async (config, at) => (await importPackage(load, at.id, install)).driver(config, at);
}
