const expectedUrl =
  'an address such as redis://user:password@host:6379/0 (rediss:// with TLS), special characters percent-encoded';

/**
 * Takes an address apart into fields of the configuration: `redis://user:password@host:6379/0`, `rediss://` for TLS,
 * `unix:///run/redis.sock` for a socket. The error never repeats the text, which holds a password.
 * @throws Error whose message says what was expected
 */
export function parseRedisUrl(text: string): Record<string, unknown> {
  const trimmed = text.trim();
  // Whoever puts host:port there means just that.
  if (!/^[a-z][\w+.-]*:\/\//i.test(trimmed)) return parseAddress(trimmed);
  const url = parse(trimmed);
  const scheme = url.protocol.slice(0, -1).toLowerCase();
  if (!['redis', 'rediss', 'unix', 'redis+unix'].includes(scheme))
    throw new Error('an address that begins with redis:// or rediss://');
  const query = Object.fromEntries(url.searchParams);
  const unknown = Object.keys(query).find(key => key !== 'db');
  if (unknown) throw new Error(`an address without the unknown parameter "${unknown}"`);
  const login = {
    ...(url.username && { user: decode(url.username) }),
    ...(url.password && { password: decode(url.password) }),
  };
  if (scheme.endsWith('unix')) return { ...login, host: decode(url.pathname), ...dbOf(query.db) };
  const path = decode(url.pathname.slice(1));
  if (path && query.db && path !== query.db) throw new Error('an address that names one database');
  return {
    ...login,
    ...(url.hostname && { host: decode(url.hostname).replace(/^\[(.*)\]$/, '$1') }),
    ...(url.port && { port: Number(url.port) }),
    ...dbOf(path || query.db),
    ...(scheme === 'rediss' && { 'tls.enabled': true }),
  };
}

/** Takes `host:port`, or a host alone, apart. @throws Error whose message says what was expected */
export function parseAddress(text: string): Record<string, unknown> {
  const trimmed = text.trim();
  if (trimmed.includes('://')) return parseRedisUrl(trimmed);
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^\s:/@?#]+))?(?::(\d{1,5}))?$/.exec(trimmed) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined && port === undefined) throw new Error('host:port, such as cache.internal:6379');
  return { ...(host !== undefined && { host }), ...(port !== undefined && { port: Number(port) }) };
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new Error(expectedUrl);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(expectedUrl);
  }
}

function dbOf(text: string | undefined): { db?: number } {
  if (!text) return {};
  if (!/^\d{1,9}$/.test(text)) throw new Error('an address whose database is a number, such as redis://host:6379/0');
  return { db: Number(text) };
}
