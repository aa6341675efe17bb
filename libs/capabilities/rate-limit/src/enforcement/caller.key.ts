import { createHash } from 'node:crypto';
import type { ClientConfig } from '../client/client.config.js';
import { networkOf } from '../client/networks.js';
import type { LimitBy } from '../decorators/limit.options.js';
import { type AnyCall, HttpCall } from './callers.js';

/** What the limiter knows a caller by: `ip:192.0.2.1`, `user:42`, `api-key:<hash>` or `everyone`. */
export function callerKey(by: Exclude<LimitBy, object> | undefined, call: AnyCall, config: ClientConfig): string {
  switch (by ?? (call.kind === 'http' ? 'ip' : 'user')) {
    case 'user':
      return userKey(call) ?? unknownKey(call, config);
    case 'api-key':
      return apiKey(call, config) ?? unknownKey(call, config);
    case 'ip':
      return unknownKey(call, config);
    case 'everyone':
      return 'everyone';
  }
}

/** The same where a limit's function says it: `key:<what it returned>`. What is no text and no number names nobody: it may be any JSON that was sent. */
export function statedKey(stated: unknown, call: AnyCall, config: ClientConfig): string {
  const names = typeof stated === 'string' || typeof stated === 'number' || typeof stated === 'bigint';
  return names ? `key:${stated}` : unknownKey(call, config);
}

export function userKey({ userId }: AnyCall): string | undefined {
  return userId === undefined ? undefined : `user:${userId}`;
}

/** The key itself is a secret: it goes no further than this. */
export function apiKey(call: AnyCall, { apiKeyHeader }: ClientConfig): string | undefined {
  const sent = call.request?.headers[apiKeyHeader.toLowerCase()];
  return sent ? `api-key:${createHash('sha256').update(String(sent)).digest('hex')}` : undefined;
}

/** By address under HTTP; elsewhere nothing is known, and all are one. Closed sockets have no address, and are one as well. */
function unknownKey(call: AnyCall, { ipv6Prefix }: ClientConfig): string {
  if (!(call instanceof HttpCall)) return 'everyone';
  return `ip:${call.client ? networkOf(call.client, ipv6Prefix) : 'unknown'}`;
}
