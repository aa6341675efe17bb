import { isNativeError } from 'node:util/types';
import type { Classification } from '@core-infra/kernel';

const dependency: Classification = { fault: 'dependency', retryable: true };
const client: Classification = { fault: 'client', retryable: false };
const server: Classification = { fault: 'server', retryable: false };
const again: Classification = { fault: 'server', retryable: true };

/** By the first word of the reply. Redis 7 source, `server.c` (`createSharedObjects`) and `acl.c`. */
const replies: Readonly<Record<string, Classification>> = {
  READONLY: dependency, // the master has become a replica
  LOADING: dependency, // it reads its data from disk
  MASTERDOWN: dependency, // a replica that does not serve stale data
  CLUSTERDOWN: dependency,
  TRYAGAIN: dependency, // slots are being moved
  MOVED: dependency, // the slots were moved, and the client could not follow
  ASK: dependency,
  BUSY: dependency, // a script keeps the server busy
  UNBLOCKED: dependency, // the master became a replica during a blocking command
  NOREPLICAS: dependency, // min-replicas-to-write
  MISCONF: dependency, // the last snapshot failed, and writes are refused
  OOM: { fault: 'dependency', retryable: true, retryAfterMs: 1_000 },
  EXECABORT: server,
  WRONGTYPE: server,
  CROSSSLOT: server,
  NOSCRIPT: again,
  NOAUTH: server,
  WRONGPASS: server,
  NOPERM: server,
  NOGROUP: server,
  BUSYGROUP: server,
  BUSYKEY: server,
  NOPROTO: server,
  DENIED: server,
};

/** ioredis's own words, which have no code. */
const broken =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Cluster isn't ready|None of startup nodes|Cluster is ended|Command aborted due to connection close|Reached the max retries per request|Failed to refresh slots cache|Too many Cluster redirections|Socket timeout|All sentinels are unreachable|Node is disconnected|ERR max number of clients reached)/;
const badInput =
  /^ERR (value is not an integer|value is not a valid float|increment or decrement would overflow|string exceeds maximum allowed size|invalid expire time|syntax error)/;

/** What an error of Redis or of ioredis means to its caller. */
export function classifyRedis(error: unknown): Classification | undefined {
  if (!isNativeError(error)) return undefined;
  const { message, name } = error;
  if (broken.test(message) || name === 'MaxRetriesPerRequestError' || name === 'ClusterAllFailedError')
    return dependency;
  if (name !== 'ReplyError') return undefined;
  const [word = ''] = message.split(/[\s:]/, 1);
  if (Object.hasOwn(replies, word)) return replies[word];
  return badInput.test(message) ? client : server;
}
