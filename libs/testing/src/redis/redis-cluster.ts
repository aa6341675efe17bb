import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { redisNode } from '../dev-services/services/redis.service.js';
import { ServiceStateError } from '../errors.js';
import { eventually } from '../helpers/eventually.js';
import { type Started, useStarted } from '../helpers/use-started.js';
import { withRedis } from './redis.admin.js';
import { busPort } from './redis.settings.js';
import { RedisServers } from './redis-servers.js';

export interface RedisClusterOptions {
  /** @default 3 */
  masters?: number;
  /** @default 1 */
  replicasPerMaster?: number;
  /** Further arguments of every node. */
  args?: readonly string[];
}

export interface RedisClusterNode {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** What it was made as; a failover changes that. */
  readonly role: 'master' | 'replica';
}

/** A Redis Cluster of one's own, every node a process. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisClusterNode[];
  readonly urls: readonly string[];
  /** Of every node. */
  readonly password: string;
  /** The port of the master that has this key now. */
  masterOf(key: string): Promise<number>;
  /** Crashes the master that has this key now, and resolves with its port; {@link settled} waits for what follows. */
  killMaster(ofKey?: string): Promise<number>;
  /** @param signal @default 'SIGKILL' */
  kill(port: number, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a node that was killed; it comes back as a replica if another one has taken its place. */
  start(port: number): Promise<void>;
  /** Resolves when the nodes that run serve every slot, agree on that, and every replica among them follows its master. */
  settled(): Promise<void>;
  dispose(): Promise<void>;
}

const SLOTS = 16_384;
const SETTLED_WITHIN_MS = 60_000;
const NODE = [
  ['--cluster-enabled', 'yes'],
  ['--cluster-config-file', 'nodes.conf'],
  // In milliseconds: a master that is silent for so long is replaced.
  ['--cluster-node-timeout', '1000'],
  ['--repl-diskless-sync-delay', '0'],
  // A clean end does not wait for replicas that are gone.
  ['--shutdown-timeout', '0'],
].flat();

/**
 * Starts a Redis Cluster (Redis 7 or newer) and resolves when it serves and every replica follows its master.
 *
 * @throws {@link ServiceMissingError} when there is no `redis-server`; {@link ServiceStartError} when a node did not come up.
 */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicasPerMaster = 1, args = [] } = options;
  const password = randomBytes(12).toString('hex');
  const definition = redisNode({ cluster: true, password, args: [...NODE, ...args] });
  const servers = await RedisServers.start(Array.from({ length: masters * (1 + replicasPerMaster) }, () => definition));
  const settled = (): Promise<void> => untilSettled(servers);
  const masterOf = (key: string): Promise<number> => servers.askAny(client => portOfMaster(client, key));
  try {
    await form(servers.urls, masters);
    await settled();
  } catch (error) {
    await servers.dispose();
    throw error;
  }
  return {
    nodes: servers.urls.map((url, index) => ({
      url,
      host: '127.0.0.1',
      port: portOf(url),
      role: index < masters ? 'master' : 'replica',
    })),
    urls: servers.urls,
    password,
    masterOf,
    killMaster: async (ofKey = '') => {
      const port = await masterOf(ofKey);
      await servers.kill(port);
      return port;
    },
    kill: (port, signal) => servers.kill(port, signal),
    start: port => servers.startAgain(port),
    settled,
    dispose: () => servers.dispose(),
    [Symbol.asyncDispose]: () => servers.dispose(),
  };
}

/** {@link startRedisCluster} for the specs of a file or of a `describe`: started before them, gone after them. */
export function useRedisCluster(options?: RedisClusterOptions): Started<RedisCluster> {
  return useStarted(() => startRedisCluster(options), [redisNode()]);
}

/** Deals the slots out, introduces the nodes to each other and tells the replicas whom to follow. */
async function form(urls: readonly string[], masters: number): Promise<void> {
  const ids = await Promise.all(
    urls.map((url, index) =>
      withRedis(url, async client => {
        // Different from the start, or the nodes would first have to agree on who gives way.
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
        if (index < masters) {
          const [from, to] = [index, index + 1].map(part => Math.round((part * SLOTS) / masters));
          await client.call('CLUSTER', 'ADDSLOTSRANGE', from!, to! - 1);
        }
        return String(await client.call('CLUSTER', 'MYID'));
      }),
    ),
  );
  await withRedis(urls[0] ?? '', async client => {
    for (const port of urls.slice(1).map(portOf))
      await client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort(port));
  });
  for (const [index, url] of urls.entries()) {
    if (index < masters) continue;
    // Refused until it has heard of its master by way of the others.
    await eventually(() => withRedis(url, client => client.call('CLUSTER', 'REPLICATE', ids[index % masters]!)));
  }
}

async function untilSettled(servers: RedisServers): Promise<void> {
  const check = (url: string): Promise<void> =>
    withRedis(url, async client => {
      const info = `${String(await client.call('CLUSTER', 'INFO'))}\n${await client.info('replication')}`;
      const owners = await slots(client);
      const known = String(await client.call('CLUSTER', 'NODES'))
        .trim()
        .split('\n');
      const isSettled =
        info.includes('cluster_state:ok') &&
        !info.includes('master_link_status:down') &&
        // Nodes that have not shaken hands yet, or are not known as what they are.
        known.length === servers.ports.length &&
        !known.some(line => line.includes('handshake')) &&
        known.filter(line => /\bslave\b|\bfail\b/.test(line)).length === known.length - masters(owners) &&
        owners.every(({ port }) => servers.isRunning(port));
      if (!isSettled) throw new ServiceStateError(`The cluster has not settled.`, `${url} says:\n${info}`);
    });
  await eventually(() => Promise.all(servers.running.map(check)), { timeoutMs: SETTLED_WITHIN_MS });
}

/** Which slots which master has, by its port. */
async function slots(client: Redis): Promise<{ from: number; to: number; port: number }[]> {
  const rows = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
  return rows.map(([from, to, [, port]]) => ({ from, to, port }));
}

function masters(owners: readonly { port: number }[]): number {
  return new Set(owners.map(({ port }) => port)).size;
}

async function portOfMaster(client: Redis, key: string): Promise<number> {
  const slot = Number(await client.call('CLUSTER', 'KEYSLOT', key));
  const owner = (await slots(client)).find(({ from, to }) => from <= slot && slot <= to);
  if (owner) return owner.port;
  throw new ServiceStateError(`Nobody has slot ${slot}.`, 'Wait for settled().');
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
