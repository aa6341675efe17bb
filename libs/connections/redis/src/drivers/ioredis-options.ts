import type { DriverSite } from '@core-infra/kernel';
import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';
import { isIP } from 'node:net';
import { parseAddress } from '../config/address.js';
import type { RedisConfig } from '../config/redis.config.js';
import { backoff } from '../config/retry.config.js';
import { tlsOptions } from '../config/tls.js';

/** How long a socket that is given up may take to say goodbye, in milliseconds. */
export const GOODBYE_MS = 100;

/** What a connection to one server needs, whichever driver opens it. */
function common(config: RedisConfig, at: DriverSite): RedisOptions {
  return {
    ...config.ioredis,
    username: config.user,
    password: config.password,
    ...(config.tls.enabled && { tls: tlsFor(config) }),
    connectTimeout: config.connectTimeoutMs,
    commandTimeout: config.commandTimeoutMs,
    disconnectTimeout: GOODBYE_MS,
    keepAlive: config.keepAliveMs,
    connectionName: clientName(config.clientName ?? at.app.name),
    lazyConnect: true,
    // A master that became a replica keeps its connections: only a new one finds the new master.
    reconnectOnError: error => (error.message.startsWith('READONLY') ? (config.offlineQueue ? 2 : 1) : false),
  };
}

/** Options of a single connection: `standalone`, and the master behind sentinels. */
export function redisOptions(config: RedisConfig, at: DriverSite): RedisOptions {
  return {
    ...common(config, at),
    ...(config.host.startsWith('/') ? { path: config.host } : { host: config.host, port: config.port }),
    db: config.db,
    keyPrefix: config.namespace,
    enableOfflineQueue: config.offlineQueue,
    enableAutoPipelining: config.autoPipelining,
    maxRetriesPerRequest: config.maxRetries,
    retryStrategy: backoff(config.retry),
  };
}

/** The same by way of sentinels, which say who the master is. */
export function sentinelOptions(config: RedisConfig, at: DriverSite): RedisOptions {
  const { sentinel } = config;
  const { host: _host, port: _port, path: _path, ...options } = redisOptions(config, at);
  const tls = tlsFor(config);
  return {
    ...options,
    sentinels: sentinel.nodes.map(node => nodeOf(node)),
    name: sentinel.masterName,
    role: 'master',
    sentinelUsername: sentinel.user,
    sentinelPassword: sentinel.password,
    ...(sentinel.tls && { sentinelTLS: tls }),
    enableTLSForSentinelMode: config.tls.enabled,
    sentinelRetryStrategy: backoff(config.retry),
    sentinelCommandTimeout: Math.min(config.commandTimeoutMs, config.connectTimeoutMs),
    natMap: natMapOf(sentinel.natMap),
  };
}

export function clusterNodes(config: RedisConfig): { host: string; port: number }[] {
  const { nodes } = config.cluster;
  return nodes.length > 0 ? nodes.map(nodeOf) : [{ host: config.host, port: config.port }];
}

export function clusterOptions(config: RedisConfig, at: DriverSite): ClusterOptions {
  const { cluster } = config;
  const { keyPrefix: _keyPrefix, ...node } = common(config, at);
  return {
    lazyConnect: true,
    redisOptions: { ...node, maxRetriesPerRequest: 0 },
    keyPrefix: config.namespace,
    enableOfflineQueue: config.offlineQueue,
    enableAutoPipelining: config.autoPipelining,
    scaleReads: cluster.scaleReads,
    maxRedirections: cluster.maxRedirections,
    retryDelayOnFailover: cluster.redirectDelayMs,
    retryDelayOnClusterDown: cluster.redirectDelayMs,
    retryDelayOnTryAgain: cluster.redirectDelayMs,
    slotsRefreshTimeout: cluster.slotsRefreshTimeoutMs,
    slotsRefreshInterval: cluster.slotsRefreshIntervalMs || undefined,
    clusterRetryStrategy: backoff(config.retry),
    natMap: natMapOf(cluster.natMap),
    // With TLS the name must stay a name, as that is what certificates are issued to.
    ...(config.tls.enabled && { dnsLookup: (address, callback) => callback(null, address) }),
  };
}

function tlsFor(config: RedisConfig): RedisOptions['tls'] {
  const named = isIP(config.host) === 0 && !config.host.startsWith('/') && config.driver === 'standalone';
  return { ...(named && { servername: config.host }), ...tlsOptions(config.tls) };
}

/** @throws Error that says what was expected; the configuration has checked it before */
function nodeOf(text: string): { host: string; port: number } & ClusterNode {
  return parseAddress(text) as { host: string; port: number };
}

function natMapOf(map: Record<string, string>): Record<string, { host: string; port: number }> | undefined {
  const entries = Object.entries(map);
  return entries.length === 0 ? undefined : Object.fromEntries(entries.map(([from, to]) => [from, nodeOf(to)]));
}

/** `CLIENT SETNAME` takes no blanks and no control characters. */
function clientName(name: string): string {
  return name.replace(/[^\x21-\x7e]+/g, '-') || 'app';
}

/** Where it is, without credentials: `cache.internal:6379/0`, `mymaster at sentinel-1:26379`. */
export function addressOf(config: RedisConfig): string {
  const { driver, host, port, db, sentinel } = config;
  if (driver === 'cluster')
    return clusterNodes(config)
      .map(node => hostPort(node.host, node.port))
      .join(',');
  if (driver === 'sentinel') return `${sentinel.masterName} at ${sentinel.nodes.join(',')}`;
  return host.startsWith('/') ? `${host}/${db}` : `${hostPort(host, port)}/${db}`;
}

function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Every host that the configuration names. */
export function hostsOf(config: RedisConfig): string[] {
  if (config.driver === 'cluster') return clusterNodes(config).map(({ host }) => host);
  if (config.driver === 'sentinel') return config.sentinel.nodes.map(node => nodeOf(node).host);
  return [config.host];
}
