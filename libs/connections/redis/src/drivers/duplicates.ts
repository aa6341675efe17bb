import type { DriverSite } from '@core-infra/kernel';
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import type { AvailabilityMonitor } from '../availability/availability-monitor.js';
import { giveUp } from '../availability/connect-limit.js';
import { limitConnecting } from '../availability/connect-limit.js';
import { holdUntilReady } from '../commands/hold-until-ready.js';
import { type InternalCluster, type InternalRedis, isCluster } from '../commands/internals.js';
import { type CommandSite, watchCommands } from '../commands/watch-commands.js';
import type { RedisConfig } from '../config/redis.config.js';
import { ForeignRedisClientError } from '../errors.js';
import type { RedisClient } from '../redis.client.js';
import { keyPrefixOf, originOf } from '../views/prefixed-client.js';
import { diagnose } from './diagnose.js';
import { clusterNodes } from './ioredis-options.js';
import { outliveSocketErrors } from './socket-errors.js';

/** How often a subscription is asked for a sign of life, and how long that may take, in milliseconds. */
const HEARTBEAT_MS = 1_000;

interface Origin {
  readonly site: CommandSite;
  readonly monitor: AvailabilityMonitor;
  readonly config: RedisConfig;
  readonly logger: Pick<DriverSite['logger'], 'log' | 'warn'>;
}

const origins = new WeakMap<RedisClient, Origin>();
const duplicates = new WeakMap<RedisClient, Set<Redis | Cluster>>();

/** To be called once, by the driver that opened the client. */
export function originOfDuplicates(client: RedisClient, origin: Origin): void {
  origins.set(client, origin);
  // Those of ioredis's own making, by libraries that are handed the client, are closed with the rest as well.
  const native = client as unknown as { duplicate(...args: unknown[]): Redis | Cluster };
  const duplicate = native.duplicate.bind(native);
  native.duplicate = (...args) => adopt(client, duplicate(...args));
  origin.monitor.onReturn(({ hadHung }) => {
    if (!hadHung) return;
    for (const copy of duplicates.get(client) ?? []) freshen(copy);
  });
}

/**
 * A further connection to the same server or cluster, for blocking commands and subscriptions. It connects at once and reconnects by itself,
 * with its subscriptions, also when the network swallows everything; its commands wait for that, without a time limit; `options` may say
 * otherwise. It has the prefix of the client, and is closed with the connection that it came from.
 * @throws ForeignRedisClientError when RedisModule did not open the client
 */
export function duplicateOf(client: RedisClient, options: Partial<RedisOptions> = {}): RedisClient {
  const parent = originOf(client);
  const origin = origins.get(parent);
  if (!origin) throw new ForeignRedisClientError();
  const copy = copyOf(parent as unknown as Redis | Cluster, origin, keyPrefixOf(client), options);
  let away: string | undefined;
  const site: CommandSite = { ...origin.site, commandTimeoutMs: () => options.commandTimeout ?? 0, reason: () => away };
  if (isCluster(copy)) copy.on('+node', holdUntilReady);
  else holdUntilReady(copy);
  watchCommands(copy, site);
  if (!isCluster(copy)) limitConnecting(copy, origin.config.connectTimeoutMs);

  const { id } = origin.site;
  copy.on('error', (error: Error) => {
    const reason = (diagnose(error, origin.config) as Error).message;
    if (away === undefined)
      origin.logger.warn({ msg: `${id}: a further connection is away: ${reason}`, connection: id, reason });
    away = reason;
  });
  copy.on('ready', () => {
    if (away !== undefined) origin.logger.log({ msg: `${id}: a further connection is back`, connection: id });
    away = undefined;
  });
  const heartbeat = setInterval(() => void askForLife(copy), HEARTBEAT_MS).unref();
  copy.once('end', () => clearInterval(heartbeat));
  if (copy.status === 'wait') copy.connect().catch(() => undefined); // the event `error` tells why
  return copy as unknown as RedisClient;
}

function adopt(parent: RedisClient, copy: Redis | Cluster): Redis | Cluster {
  outliveSocketErrors(copy);
  const all = duplicates.get(parent) ?? new Set();
  duplicates.set(parent, all.add(copy));
  copy.once('end', () => all.delete(copy));
  return copy;
}

export function closeDuplicates(client: RedisClient): void {
  for (const copy of duplicates.get(client) ?? []) {
    copy.disconnect();
    // One that is between two attempts to connect does not say that it has ended.
    copy.emit('end');
  }
}

function copyOf(parent: Redis | Cluster, { config }: Origin, keyPrefix: string, options: Partial<RedisOptions>) {
  const patient = { commandTimeout: undefined, maxRetriesPerRequest: null, ...options };
  const common = {
    keyPrefix: options.keyPrefix ?? keyPrefix,
    enableOfflineQueue: options.enableOfflineQueue ?? true,
    enableAutoPipelining: options.enableAutoPipelining ?? false,
    lazyConnect: true,
  };
  if (!isCluster(parent)) return parent.duplicate({ ...patient, ...common, ...options });
  const known = parent.nodes().map(({ options: { host, port } }) => ({ host: host!, port: port! }));
  const { keyPrefix: _keyPrefix, ...node } = patient;
  const overrides: ClusterOptions = { ...common, redisOptions: { ...parent.options.redisOptions, ...node } };
  return parent.duplicate([...known, ...clusterNodes(config)], overrides);
}

/** The connection that serves the copy's subscriptions, if it has any. */
function subscriberOf(copy: Redis | Cluster): Redis | undefined {
  const subscriber = isCluster(copy) ? (copy as unknown as InternalCluster).subscriber.getInstance() : copy;
  return subscriber?.mode === 'subscriber' && subscriber.status === 'ready' ? subscriber : undefined;
}

const beingAsked = new WeakSet<Redis>();

/** A subscriber sends nothing, and so would not learn that nothing comes through any more. */
async function askForLife(copy: Redis | Cluster): Promise<void> {
  const subscriber = subscriberOf(copy);
  if (!subscriber || beingAsked.has(subscriber)) return;
  beingAsked.add(subscriber);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>(resolve => {
    timer = setTimeout(() => setImmediate(() => setImmediate(resolve, 'late')), HEARTBEAT_MS).unref();
  });
  try {
    if ((await Promise.race([subscriber.ping(), late])) !== 'late') return;
    if (isCluster(copy)) subscriber.disconnect();
    else giveUp(copy);
  } catch {
    // It was lost meanwhile, and reconnects by itself.
  } finally {
    clearTimeout(timer);
    beingAsked.delete(subscriber);
  }
}

/** The network had swallowed what the parent sent: a blocking command may wait for an answer that never comes, and is sent again. */
function freshen(copy: Redis | Cluster): void {
  if (isCluster(copy)) {
    for (const node of copy.nodes())
      if ((node as unknown as InternalRedis).commandQueue.length > 0) node.disconnect(true);
  } else if (subscriberOf(copy)) void askForLife(copy);
  else if ((copy as unknown as InternalRedis).commandQueue.length > 0) giveUp(copy);
}
