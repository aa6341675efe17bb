import type { CacheResponseOptions } from './cache-response.options.js';
import { credentialHeaders } from './response-key.js';

/** Says to the browser that an answer is this asker's own, where the handler says nothing. */
export const OWN_ANSWER = 'private, no-cache';

const keepsOut = /no-store|no-cache|private/i;

/** Whether the handler has said that its answer is not for a shared cache. */
export function isKeptOut(cacheControl: unknown): boolean {
  return keepsOut.test(String((cacheControl as string | undefined) ?? ''));
}

/** @param tenantId of the request: its answers are not for a proxy, which knows nothing of tenants */
export function cacheControl(options: CacheResponseOptions, tenantId: string | undefined): string {
  const seconds = (ms: number) => Math.floor(ms / 1_000);
  const varies = (options.varyBy ?? []).some(by => typeof by !== 'object');
  const own = options.private ?? (varies || (tenantId !== undefined && !options.sameForAll));
  const { staleWhileRevalidateMs: stale } = options;
  return [
    own ? 'private' : 'public',
    `max-age=${seconds(options.maxAgeMs ?? options.ttlMs)}`,
    ...(stale === undefined ? [] : [`stale-while-revalidate=${seconds(stale)}`]),
  ].join(', ');
}

/** What others than this cache must tell answers apart by: a browser's own copy, too, is only good for the one who was logged in. */
export function varyHeaders({ varyBy = [], sameForAll }: CacheResponseOptions): string[] {
  const named = varyBy.flatMap(by => (typeof by === 'object' ? [by.header] : []));
  return sameForAll ? named : [...credentialHeaders, ...named];
}

/** Whether a handler's own `Vary` names what the key does not hold. @param before what was there when the handler was called */
export function variesByMore(options: CacheResponseOptions, before: unknown, now: unknown): boolean {
  const named = (value: unknown): string[] =>
    String((value as string | undefined) ?? '')
      .toLowerCase()
      .split(',')
      .map(name => name.trim())
      .filter(Boolean);
  const covered = new Set([...named(before), ...varyHeaders(options).map(name => name.toLowerCase())]);
  return named(now).some(name => !covered.has(name));
}
