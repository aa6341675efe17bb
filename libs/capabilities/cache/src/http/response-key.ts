import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ContextFields } from '@core-infra/kernel';
import type { CacheResponseOptions } from './cache-response.options.js';

/** Express rewrites `url` within a router, and keeps the whole one here. */
export type RawRequest = IncomingMessage & { originalUrl?: string };

/** What both adapters make of the request, trusted proxies heard. */
export interface SeenOrigin {
  readonly protocol?: string;
  readonly hostname?: string;
}

/** Headers by which somebody says who it is. */
export const credentialHeaders = ['Authorization', 'Cookie', 'X-Api-Key'] as const;

/** What all keys of a path begin with, however the path is spelled: `/A/b/`, `/a/%62`. Each spelling is an answer of its own all the same. */
export function pathKey(path: string): string {
  const one = inOneSpelling(path);
  return one.length > 200 ? `#${hash(one)} ` : `${one} `;
}

/** Whether the answer to this request is nobody's own, or is kept for each user. */
export function isSharable(
  { headers }: RawRequest,
  { varyBy = [], sameForAll }: CacheResponseOptions,
  context: Readonly<ContextFields> | undefined,
): boolean {
  if (sameForAll) return true;
  const known = context?.userId !== undefined;
  if (varyBy.includes('user') && known) return true;
  return !known && credentialHeaders.every(name => headers[name.toLowerCase()] === undefined);
}

/** The key of an answer. The parts may hold personal data, so all but the path are hashed. */
export function responseKey(
  request: RawRequest,
  handler: string,
  options: CacheResponseOptions,
  context: Readonly<ContextFields> | undefined,
  { protocol, hostname }: SeenOrigin,
): string {
  const { headers } = request;
  const parts = (options.varyBy ?? []).map(by => {
    if (by === 'user') return ['user', context?.userId];
    if (by === 'tenant') return ['tenant', context?.tenantId];
    if (typeof by === 'function') return ['function', by(request)];
    return [by.header.toLowerCase(), String(headers[by.header.toLowerCase()] ?? '')];
  });
  const [path, query] = splitUrl(request);
  const origin = [headers.host, hostname, protocol, options.sameForAll ? undefined : context?.tenantId];
  return pathKey(path) + hash(JSON.stringify([handler, path, origin, sortedQuery(query, options.query), parts]));
}

function splitUrl(request: RawRequest): [path: string, query: string] {
  const url = request.originalUrl ?? request.url ?? '/';
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

/** By name; values of one name keep their order, which may mean something. */
function sortedQuery(query: string, wanted: readonly string[] | undefined): [string, string][] {
  const all = [...new URLSearchParams(query)];
  return all.filter(([name]) => wanted?.includes(name) ?? true).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function inOneSpelling(path: string): string {
  const [bare] = path.split('?', 1) as [string];
  let spelled = bare;
  try {
    spelled = encodeURI(decodeURI(bare));
  } catch {
    // What nobody can decode is spelled in one way only.
  }
  return spelled.replace(/\/+$/, '').toLowerCase() || '/';
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
