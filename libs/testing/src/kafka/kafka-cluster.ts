import { freePort } from '../dev-services/free-port.js';
import type { ServerHost } from '../dev-services/server.host.js';
import { kafkaNode } from '../dev-services/services/kafka.service.js';
import { startServer } from '../dev-services/service.start.js';
import { ServiceStartError, ServiceStateError } from '../errors.js';
import { eventually } from '../helpers/eventually.js';
import { type Started, useStarted } from '../helpers/use-started.js';
import { withKafkaAdmin } from './kafka.admin.js';

export interface KafkaClusterOptions {
  /** @default 3 */
  brokers?: number;
  /** Further lines of every broker's `server.properties`. */
  properties?: Readonly<Record<string, string>>;
}

/** Several brokers, each a process; topics have a copy on up to three of them, and a write needs all of those but one. */
export interface KafkaCluster extends AsyncDisposable {
  /** `host:port` of each broker; broker `id` is at `id - 1`. */
  readonly brokers: string[];
  /** The id of the broker that leads a partition now. */
  leaderOf(topic: string, partition?: number): Promise<number>;
  /** Crashes the broker that leads a partition, and resolves with its id. */
  killLeader(topic: string, partition?: number): Promise<number>;
  /** @param signal @default 'SIGKILL' */
  kill(id: number, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a broker that was killed. */
  start(id: number): Promise<void>;
  /** Resolves when every broker that runs is known to the others and every partition has a leader among them. */
  settled(): Promise<void>;
  dispose(): Promise<void>;
}

const SETTLED_WITHIN_MS = 60_000;
const START_ATTEMPTS = 3;

/**
 * Starts a cluster and resolves when it serves.
 *
 * @throws {@link ServiceMissingError} when there is no Kafka; {@link ServiceStartError} when a broker did not come up.
 */
export async function startKafkaCluster(options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
  const { brokers: count = 3, properties = {} } = options;
  const hosts = await startHosts(count, properties);
  const killed = new Set<number>();
  const at = (id: number): ServerHost => {
    const host = hosts[id - 1];
    if (host) return host;
    throw new ServiceStateError(`No broker has the id ${id}.`, `The ids are 1 to ${count}.`);
  };
  const ask = <Result>(use: Parameters<typeof withKafkaAdmin<Result>>[1]): Promise<Result> => {
    const running = hosts.find((_, index) => !killed.has(index + 1));
    if (!running) throw new ServiceStateError('None of the brokers runs.', 'Start one of them.');
    return withKafkaAdmin(running.port ?? 0, use);
  };
  const leaderOf = (topic: string, partition = 0): Promise<number> =>
    ask(async admin => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
    });
  const kill = async (id: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (signal === 'SIGCONT') killed.delete(id);
    else killed.add(id);
    await at(id).kill(signal);
  };
  const settled = (): Promise<void> =>
    eventually(
      () =>
        ask(async admin => {
          const { brokers } = await admin.describeCluster();
          const { topics } = await admin.fetchTopicMetadata();
          const known = brokers.map(({ nodeId }) => nodeId);
          const isSettled =
            known.length === count - killed.size &&
            !known.some(id => killed.has(id)) &&
            topics.every(({ partitions }) => partitions.every(({ leader }) => known.includes(leader)));
          if (!isSettled) throw new ServiceStateError('The cluster has not settled.', `It knows ${known.join(', ')}.`);
        }),
      { timeoutMs: SETTLED_WITHIN_MS, intervalMs: 200 },
    );
  const dispose = async (): Promise<void> => {
    await Promise.all(hosts.map(host => host.end()));
  };
  try {
    await settled();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    brokers: hosts.map(({ url }) => url),
    leaderOf,
    killLeader: async (topic, partition) => {
      const id = await leaderOf(topic, partition);
      await kill(id);
      return id;
    },
    kill,
    start: async id => {
      await at(id).start();
      killed.delete(id);
    },
    settled,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** {@link startKafkaCluster} for the specs of a file or of a `describe`: started before them, gone after them. */
export function useKafkaCluster(options?: KafkaClusterOptions): Started<KafkaCluster> {
  return useStarted(() => startKafkaCluster(options), [kafkaNode()]);
}

/** The controllers have to know each other's ports before they start, so a port that somebody took in between is a new start of all. */
async function startHosts(count: number, properties: Readonly<Record<string, string>>): Promise<ServerHost[]> {
  for (let attempt = 1; ; attempt++) {
    const controllerPorts = await Promise.all(Array.from({ length: count }, () => freePort()));
    const results = await Promise.allSettled(
      controllerPorts.map((_, index) =>
        startServer(kafkaNode({ properties, cluster: { node: index + 1, controllerPorts } }), { kind: 'private' }),
      ),
    );
    const hosts = results.flatMap(result => (result.status === 'fulfilled' ? [result.value.host] : []));
    const failed = results.find(result => result.status === 'rejected');
    if (!failed) return hosts;
    await Promise.all(hosts.map(host => host.end()));
    if (!(failed.reason instanceof ServiceStartError) || attempt === START_ATTEMPTS) throw failed.reason;
  }
}
