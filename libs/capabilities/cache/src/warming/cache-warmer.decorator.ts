import { SetMetadata, type Type } from '@nestjs/common';
import type { Cache } from '../cache.js';
import { InvalidCacheOptionError } from '../errors.js';

export const CACHE_WARMER = 'core-infra:cache-warmer';

export interface CacheWarmerOptions {
  /** How many of its loads run at a time. @default 4 */
  concurrency?: number;
  /**
   * How long, in milliseconds, no process over the same Redis warms this again after one did; a process that starts meanwhile waits for the one that
   * is at it. 0 has every process do it. @default 300_000
   */
  onceEveryMs?: number;
}

/** What {@link CacheWarmer} leaves on a provider's class. */
export interface CacheWarmerSpec extends Required<CacheWarmerOptions> {
  readonly name: string;
}

/** Something to be done in order to warm a cache, such as `() => catalogue.get(id)`. */
export type WarmingLoad = () => unknown;

/** A provider that fills the cache after the boot. */
export interface CacheWarming {
  /**
   * Yields loads, of which `concurrency` run at a time; or does everything by itself and resolves. A load that fails is counted and does not end it.
   * @param signal aborts at the shutdown, and after `cacheWarming.timeoutMs`
   */
  warm(cache: Cache, signal: AbortSignal): AsyncIterable<WarmingLoad> | Iterable<WarmingLoad> | Promise<void>;
}

/**
 * Makes a provider warm the cache once the app has booted. {@link CacheWarmingModule} finds it; without that, nothing happens.
 * @throws InvalidCacheOptionError
 */
export function CacheWarmer(
  name: string,
  options: CacheWarmerOptions = {},
): <T extends Type<CacheWarming>>(target: T) => void {
  const spec: CacheWarmerSpec = { concurrency: 4, onceEveryMs: 300_000, ...options, name };
  if (!Number.isInteger(spec.concurrency) || spec.concurrency < 1)
    throw new InvalidCacheOptionError('concurrency', 'a whole number, 1 or more', spec.concurrency);
  if (!Number.isFinite(spec.onceEveryMs) || spec.onceEveryMs < 0)
    throw new InvalidCacheOptionError('onceEveryMs', 'a duration in milliseconds, 0 or more', spec.onceEveryMs);
  return target => SetMetadata(CACHE_WARMER, spec)(target);
}
