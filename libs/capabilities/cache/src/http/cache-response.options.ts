import type { IncomingMessage } from 'node:http';

/** What an answer depends on besides host, path and query. */
export type VaryBy =
  'user' | 'tenant' | { readonly header: string } | ((request: IncomingMessage) => string | undefined);

export interface CacheResponseOptions {
  /** How long an answer is kept here, in milliseconds; 0 for not at all, with an ETag and Cache-Control all the same. */
  ttlMs: number;
  /** `max-age` of Cache-Control, in milliseconds; 0 has browsers ask each time, by ETag. @default ttlMs */
  maxAgeMs?: number;
  /** `stale-while-revalidate` of Cache-Control, in milliseconds. @default none */
  staleWhileRevalidateMs?: number;
  /** Each of them makes an answer of its own: the user or tenant of the RequestContext, a header, or what a function makes of the request. @default [] */
  varyBy?: readonly VaryBy[];
  /** Whether only the browser may keep the answer, no proxy or CDN. @default true where varyBy has more than headers, or the request has a tenant */
  private?: boolean;
  /**
   * The answer is the same whoever asks: a request with credentials (Authorization, Cookie, X-Api-Key, or a user in the RequestContext) is served from
   * the cache as well, and tenants share it. Without it, and without `varyBy: ['user']`, such a request always reaches the handler, its answer is
   * neither kept nor shared, and goes out as `private`; each tenant has answers of its own. @default false
   */
  sameForAll?: boolean;
  /** The parameters of the query that matter; others make no answer of their own. @default all */
  query?: readonly string[];
  /** `weak` tells answers apart by what they mean, and holds when something on the way compresses them; `strong` by their bytes. @default 'weak' */
  etag?: 'weak' | 'strong';
  /** To evict answers by: {@link HttpCache.evictTags}. */
  tags?: readonly string[] | ((request: IncomingMessage) => readonly string[]);
}

export const CACHE_RESPONSE = 'core-infra:cache-response';
