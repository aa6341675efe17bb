import type { Kafka } from 'kafkajs';
import { rootOf } from './internals.js';

/** What kafkajs keeps of a cluster: the topics that it asks about, all of them together. */
export interface TargetedCluster {
  readonly targetTopics: Set<string>;
  refreshMetadata(): Promise<void>;
}

/** The cluster of a client that we made. */
export interface OwnCluster extends TargetedCluster {
  refreshMetadataIfNecessary(): Promise<void>;
  findControllerBroker(): Promise<NumberingBroker>;
}

/** A broker, as it gives out numbers of producers. */
interface NumberingBroker {
  initProducerId(request: { transactionTimeout: number }): Promise<{ producerId: string; producerEpoch: number }>;
}

/** Makes a client of kafkajs, and catches the cluster that the client keeps to itself. */
export function withCluster<Made>(kafka: Kafka, make: () => Made): { made: Made; cluster: OwnCluster | undefined } {
  const key = Object.getOwnPropertySymbols(kafka).find(({ description }) => description?.endsWith('createCluster'));
  const holder = kafka as unknown as Record<symbol, (options: object) => OwnCluster>;
  if (!key) return { made: make(), cluster: undefined };
  const create = holder[key]!;
  let cluster: OwnCluster | undefined;
  holder[key] = options => (cluster = create(options));
  try {
    const made = make();
    return { made, cluster };
  } finally {
    holder[key] = create;
  }
}

/**
 * kafkajs asks about all topics it was ever told of, and when one of them is gone or forbidden it knows none of them any more. Then the others
 * are forgotten; each comes back when it is used.
 * @returns whether it was for another topic that this one failed
 */
export async function forgetOthers(
  cluster: TargetedCluster | undefined,
  topic: string | undefined,
  error: unknown,
): Promise<boolean> {
  if (
    !cluster ||
    topic === undefined ||
    !/UNKNOWN_TOPIC|TOPIC_AUTHORIZATION|INVALID_TOPIC/.test(String(rootOf(error).type))
  )
    return false;
  const others = [...cluster.targetTopics].filter(other => other !== topic);
  if (others.length === 0 || (await knows(cluster))) return false;
  for (const other of others) cluster.targetTopics.delete(other);
  cluster.targetTopics.add(topic);
  return knows(cluster);
}

async function knows(cluster: TargetedCluster): Promise<boolean> {
  return cluster.refreshMetadata().then(
    () => true,
    () => false,
  );
}
