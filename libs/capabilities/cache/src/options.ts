import type { EntryOptions, GetOrSetOptions } from './cache.js';
import type { CacheConfig } from './cache.config.js';
import { InvalidCacheOptionError } from './errors.js';

/** How long an entry lives. */
export interface Lifetime {
  /** In whole milliseconds since 1970; Infinity for no end. */
  readonly freshUntil: number;
  /** In milliseconds after that. */
  readonly graceMs: number;
}

const durations = ['ttlMs', 'graceMs', 'negativeTtlMs', 'softTimeoutMs', 'hardTimeoutMs'] as const;

/** @throws InvalidCacheOptionError naming the field */
export function checkOptions(options: GetOrSetOptions): void {
  if (typeof (options as unknown) !== 'object' || (options as unknown) === null)
    throw new InvalidCacheOptionError('options', 'an object', options);
  for (const field of durations) {
    const given = options[field];
    if (given === undefined || (given === 'forever' && field === 'ttlMs')) continue;
    if (typeof given !== 'number' || !(given >= 0) || given === Infinity) {
      const forever = field === 'ttlMs' ? ', or "forever"' : '';
      throw new InvalidCacheOptionError(field, `a duration in milliseconds, 0 or more${forever}`, given);
    }
  }
  const { tags } = options;
  if (tags !== undefined) checkTags(tags);
}

export function checkTags(tags: readonly string[]): void {
  const expected = 'a list of text, none of it empty';
  if (!Array.isArray(tags)) throw new InvalidCacheOptionError('tags', expected, tags);
  for (const tag of tags as readonly unknown[])
    if (typeof tag !== 'string' || tag === '') throw new InvalidCacheOptionError('tags', expected, tag);
}

/** @param random from 0 to 1 */
export function lifetime(options: EntryOptions, config: CacheConfig, now: number, random: number): Lifetime {
  const ttlMs = options.ttlMs ?? config.ttlMs;
  if (ttlMs === 'forever' || ttlMs === 0) return { freshUntil: Infinity, graceMs: 0 };
  const freshUntil = Math.floor(now + ttlMs * (1 - config.ttlJitterRatio * random));
  return { freshUntil, graceMs: options.graceMs ?? config.graceMs };
}
