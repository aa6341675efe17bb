import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { redisNode } from '../dev-services/services/redis.service.js';
import { sentinelService } from '../dev-services/services/sentinel.service.js';
import { ServiceStateError } from '../errors.js';
import { eventually } from '../helpers/eventually.js';
import { type Started, useStarted } from '../helpers/use-started.js';
import { withRedis } from './redis.admin.js';
import { RedisServers } from './redis-servers.js';

export interface RedisSentinelOptions {
  /** @default 1 */
  replicas?: number;
  /** Whether the sentinels ask for a password too. @default false */
  sentinelPassword?: boolean;
  /** Further arguments of the servers that are watched. */
  args?: readonly string[];
}

/** A master, its replicas and three sentinels, each a process. */
export interface RedisSentinel extends AsyncDisposable {
  readonly masterName: string;
  /** Where to ask for the master; fit for ioredis' `sentinels`. */
  readonly sentinels: readonly { host: string; port: number }[];
  /** Of the master and the replicas. */
  readonly password: string;
  /** Of the sentinels; `undefined` when they have none. */
  readonly sentinelPassword: string | undefined;
  /** The addresses of the master and the replicas, as they were at first. */
  readonly urls: readonly string[];
  /** The port of the master, as the sentinels say. */
  master(): Promise<number>;
  /** Makes a replica the master, without a crash, and resolves with its port when all have followed. */
  failover(): Promise<number>;
  /** Crashes the master and resolves with its port; {@link settled} waits for what follows. */
  killMaster(): Promise<number>;
  /** Kills a server or a sentinel. @param signal @default 'SIGKILL' */
  kill(port: number, signal?: NodeJS.Signals): Promise<void>;
  /** Starts what was killed; a former master comes back as a replica. */
  start(port: number): Promise<void>;
  /** Resolves when all sentinels that run name the same master, one that runs, and every server that runs follows it. */
  settled(): Promise<void>;
  dispose(): Promise<void>;
}

const MASTER_NAME = 'main';
const SENTINELS = 3;
const SETTLED_WITHIN_MS = 60_000;
const NODE = ['--repl-diskless-sync-delay', '0', '--shutdown-timeout', '0'];

/**
 * Starts a master, its replicas and three sentinels (Redis 7 or newer) and resolves when the sentinels know each other and a
 * replica could take over.
 *
 * @throws {@link ServiceMissingError} when there is no `redis-server`; {@link ServiceStartError} when one did not come up.
 */
export async function startRedisSentinel(options: RedisSentinelOptions = {}): Promise<RedisSentinel> {
  const { replicas = 1, args = [] } = options;
  const password = randomBytes(12).toString('hex');
  const sentinelPassword = options.sentinelPassword ? randomBytes(12).toString('hex') : undefined;
  const servers = await RedisServers.start(
    Array.from({ length: 1 + replicas }, () => redisNode({ password, args: [...NODE, ...args] })),
  );
  let sentinels: RedisServers | undefined;
  const dispose = async (): Promise<void> => {
    await Promise.all([servers.dispose(), sentinels?.dispose()]);
  };
  try {
    await follow(servers);
    sentinels = await startSentinels(servers.ports[0] ?? 0, password, sentinelPassword);
    await settle(servers, sentinels);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { ...handle(servers, sentinels), password, sentinelPassword, dispose, [Symbol.asyncDispose]: dispose };
}

/** {@link startRedisSentinel} for the specs of a file or of a `describe`: started before them, gone after them. */
export function useRedisSentinel(options?: RedisSentinelOptions): Started<RedisSentinel> {
  return useStarted(() => startRedisSentinel(options), [redisNode()]);
}

/** What can be done to servers and sentinels that have settled. */
function handle(
  servers: RedisServers,
  sentinels: RedisServers,
): Omit<RedisSentinel, 'password' | 'sentinelPassword' | 'dispose' | typeof Symbol.asyncDispose> {
  const master = (): Promise<number> => sentinels.askAny(masterSaidBy);
  const settled = (): Promise<void> => settle(servers, sentinels);
  const owner = (port: number): RedisServers => (servers.ports.includes(port) ? servers : sentinels);
  return {
    masterName: MASTER_NAME,
    sentinels: sentinels.ports.map(port => ({ host: '127.0.0.1', port })),
    urls: servers.urls,
    master,
    failover: async () => {
      const before = await master();
      // Refused for a moment after another failover.
      await eventually(() => sentinels.askAny(client => client.call('SENTINEL', 'FAILOVER', MASTER_NAME)), {
        timeoutMs: SETTLED_WITHIN_MS,
      });
      await eventually(async () => differs(await master(), before), { timeoutMs: SETTLED_WITHIN_MS });
      await settled();
      return master();
    },
    killMaster: async () => {
      const port = await master();
      await servers.kill(port);
      return port;
    },
    kill: (port, signal) => owner(port).kill(port, signal),
    start: async port => {
      await owner(port).startAgain(port);
      if (sentinels.isRunning(port)) await hurry(sentinels);
    },
    settled,
  };
}

async function follow({ urls: [, ...replicas], ports: [master = 0] }: RedisServers): Promise<void> {
  for (const url of replicas) await withRedis(url, client => client.replicaof('127.0.0.1', master));
}

async function startSentinels(masterPort: number, password: string, sentinelPassword?: string): Promise<RedisServers> {
  const definition = sentinelService({
    masterName: MASTER_NAME,
    masterPort,
    password,
    quorum: 2,
    ...(sentinelPassword && { sentinelPassword }),
  });
  const sentinels = await RedisServers.start(Array.from({ length: SENTINELS }, () => definition));
  await hurry(sentinels);
  return sentinels;
}

/**
 * Makes the sentinels look more often than they do by themselves; they forget that when they end. While the master is down they ask a replica
 * once a second how it is, and none is good enough of whom they heard more than five pings ago: with pings at 100 ms they would give a failover
 * up, and try again six seconds later.
 */
async function hurry({ running }: RedisServers): Promise<void> {
  const periods = ['info-period', '1000', 'ping-period', '500', 'publish-period', '200'];
  await Promise.all(running.map(url => withRedis(url, client => client.call('SENTINEL', 'DEBUG', ...periods))));
}

async function settle(servers: RedisServers, sentinels: RedisServers): Promise<void> {
  await eventually(() => checkSettled(servers, sentinels), { timeoutMs: SETTLED_WITHIN_MS });
}

async function masterSaidBy(sentinel: Redis): Promise<number> {
  const [, port] = (await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME)) as [string, string];
  return Number(port);
}

function differs(now: number, before: number): void {
  if (now === before) throw new ServiceStateError('The master is still the same.', 'See the logs of the sentinels.');
}

async function checkSettled(servers: RedisServers, sentinels: RedisServers): Promise<void> {
  const views = await Promise.all(
    sentinels.running.map(url =>
      withRedis(url, async client => {
        const fields = (await client.call('SENTINEL', 'MASTER', MASTER_NAME)) as string[];
        const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? '';
        const isComplete =
          Number(field('num-other-sentinels')) === SENTINELS - 1 &&
          Number(field('num-slaves')) === servers.ports.length - 1 &&
          field('flags') === 'master';
        return isComplete ? Number(field('port')) : undefined;
      }),
    ),
  );
  const [port] = views;
  const following = await Promise.all(
    servers.running.map(url =>
      withRedis(url, async client => {
        const info = await client.info('replication');
        if (Number(new URL(url).port) === port) return info.includes('role:master');
        return info.includes(`master_port:${port}`) && info.includes('master_link_status:up');
      }),
    ),
  );
  if (port !== undefined && views.every(view => view === port) && servers.isRunning(port) && following.every(Boolean))
    return;
  throw new ServiceStateError(
    'The sentinels have not settled.',
    `They name ${views.join(', ')}; the servers that run are ${servers.running.map(url => new URL(url).port).join(', ')}.`,
  );
}
