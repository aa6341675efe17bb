import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ContextFields } from '@core-infra/kernel';
import type { CacheResponseOptions } from './cache-response.options.js';

/** Express rewrites `url` within a router, and keeps the whole one here. */
export type RawRequest = IncomingMessage & { originalUrl?: string };

/** What all keys of a path begin with. */
export function pathKey(path: string): string {
  return path.length > 200 ? `#${hash(path)} ` : `${path} `;
}

/**
 * The key of an answer; `undefined` when it must not be cached, as the request carries credentials, or varies by what is not known. The parts may
 * hold personal data, so all but the path are hashed.
 */
export function responseKey(
  request: RawRequest,
  handler: string,
  options: CacheResponseOptions,
  context: Readonly<ContextFields> | undefined,
): string | undefined {
  const { headers } = request;
  const varyBy = options.varyBy ?? [];
  const credentials = headers.authorization !== undefined || headers.cookie !== undefined;
  if (credentials && !options.sameForAll && !(varyBy.includes('user') && context?.userId !== undefined))
    return undefined;
  const parts = varyBy.map(by => {
    if (by === 'user') return ['user', context?.userId];
    if (by === 'tenant') return ['tenant', context?.tenantId];
    if (typeof by === 'function') return ['function', by(request)];
    return [by.header.toLowerCase(), String(headers[by.header.toLowerCase()] ?? '')];
  });
  const [path, query] = splitUrl(request);
  return pathKey(path) + hash(JSON.stringify([handler, headers.host, sortedQuery(query, options.query), parts]));
}

export function splitUrl(request: RawRequest): [path: string, query: string] {
  const url = request.originalUrl ?? request.url ?? '/';
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

/** By name; values of one name keep their order, which may mean something. */
function sortedQuery(query: string, wanted: readonly string[] | undefined): [string, string][] {
  const all = [...new URLSearchParams(query)];
  return all.filter(([name]) => wanted?.includes(name) ?? true).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
