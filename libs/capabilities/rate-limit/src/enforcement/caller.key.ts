import { createHash } from 'node:crypto';
import type { ClientConfig } from '../client/client.config.js';
import { networkOf } from '../client/networks.js';
import type { LimitBy } from '../decorators/limit.options.js';
import { HttpCall, type MessageCall, type MethodCall } from './callers.js';

export type AnyCall = HttpCall | MessageCall | MethodCall;

/** What the limiter knows a caller by: `ip:192.0.2.1`, `user:42`, `api-key:<hash>`, `key:<what a function returned>` or `everyone`. */
export async function callerKey(by: LimitBy | undefined, call: AnyCall, config: ClientConfig): Promise<string> {
  if (typeof by === 'function') {
    const key = (await by(call)) as unknown;
    return key === undefined || key === null ? unknownKey(call, config) : `key:${String(key as string)}`;
  }
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
