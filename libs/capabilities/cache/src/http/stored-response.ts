import etag from 'etag';
import type { IncomingMessage } from 'node:http';

/** An answer as it is kept: what every serialiser carries. */
export interface StoredResponse {
  readonly body: string;
  /** Whether the body was bytes, which are kept as base64. */
  readonly bytes: boolean;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly etag: string;
  /** When it was made, in milliseconds since 1970. */
  readonly madeAt: number;
}

/** Of one connection or one answer alone. */
const notKept = new Set([
  'age',
  'cache-control',
  'cache-status',
  'connection',
  'content-length',
  'date',
  'etag',
  'keep-alive',
  'transfer-encoding',
  'vary',
  'x-request-id',
]);

/** Answers of a controller are JSON, text or bytes; anything else (streams, numbers, nothing) is not kept. */
export function bodyOf(value: unknown): { body: string; bytes: boolean; json: boolean } | undefined {
  if (typeof value === 'string') return { body: value, bytes: false, json: false };
  if (value instanceof Uint8Array) return { body: Buffer.from(value).toString('base64'), bytes: true, json: false };
  if (typeof value !== 'object' || value === null || !isData(value)) return undefined;
  const body = JSON.stringify(value) as string | undefined;
  return body === undefined ? undefined : { body, bytes: false, json: true };
}

/** Not a stream of any kind, and not an error in the guise of an answer. */
function isData(value: object): boolean {
  const of = value as { pipe?: unknown; getStream?: unknown; getReader?: unknown; statusCode?: unknown };
  if (typeof of.pipe === 'function' || typeof of.getStream === 'function' || typeof of.getReader === 'function')
    return false;
  if (Symbol.asyncIterator in value || value instanceof Response || value instanceof Error) return false;
  return (
    Object.getPrototypeOf(value) === Object.prototype || !(typeof of.statusCode === 'number' && of.statusCode >= 300)
  );
}

export function entityTag(body: string, strength: 'weak' | 'strong'): string {
  return etag(body, { weak: strength === 'weak' });
}

/** The headers that the handler set, those from before it (CORS, security, ids) not counted. */
export function headersSince(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): Record<string, string | string[]> {
  const changed = Object.entries(now).filter(
    ([name, value]) =>
      !notKept.has(name.toLowerCase()) && value !== undefined && String(before[name]) !== String(value),
  );
  return Object.fromEntries(
    changed.map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : String(value)]),
  );
}

/** The directives of a request's Cache-Control that may be honoured. */
export function askedFor({ headers }: IncomingMessage): { anew: boolean; notKept: boolean } {
  const directives = (headers['cache-control'] ?? '')
    .toLowerCase()
    .split(',')
    .map(text => text.trim());
  return {
    anew:
      directives.includes('no-cache') ||
      directives.includes('no-store') ||
      directives.includes('max-age=0') ||
      headers.pragma === 'no-cache',
    notKept: directives.includes('no-store'),
  };
}
