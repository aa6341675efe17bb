import type { Batch, Broker, Cluster } from 'kafkajs';

/** What kafkajs's types leave out of a broker, and a member of a group needs; read from its source, version 2.2. */
export interface GroupCoordinator extends Broker {
  joinGroup(request: { groupId: string; memberId?: string }): Promise<{ memberId: string; generationId: number }>;
  findGroupCoordinator(request: { groupId: string; coordinatorType: number }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
}

export interface GroupCluster extends Omit<Cluster, 'findGroupCoordinator'> {
  findGroupCoordinator(group: { groupId: string }): Promise<GroupCoordinator>;
}

/** Records of one partition, in one answer. */
export interface Fetched {
  readonly highWatermark: string;
  readonly messages: readonly (RawMessage & { readonly isControlRecord?: boolean })[];
}

/** A record as kafkajs decodes it. */
export type RawMessage = Pick<Batch['messages'][number], 'offset' | 'key' | 'value' | 'headers' | 'timestamp'>;

export interface ReadableCluster {
  readonly targetTopics: Set<string>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findBroker(node: { nodeId: string }): Promise<FetchingBroker>;
  disconnect(): Promise<void>;
}

export interface FetchingBroker {
  fetch(request: object): Promise<{ responses: readonly { partitions: readonly Fetched[] }[] }>;
}

/** The fields of kafkajs's errors. */
export interface KafkajsError extends Error {
  /** Name of an error of the protocol: `UNKNOWN_TOPIC_OR_PARTITION`. */
  readonly type?: string;
  readonly code?: string | number;
  readonly retriable?: boolean;
  readonly cause?: unknown;
  readonly errors?: readonly KafkajsError[];
  readonly topic?: string;
}

/** The error itself, from under those that count attempts or bundle several. */
export function rootOf(error: unknown): KafkajsError {
  let at = error as KafkajsError;
  for (let depth = 0; depth < 8; depth += 1) {
    const inner = at.errors?.[0] ?? at.cause;
    if (!(inner instanceof Error) || !at.name?.startsWith('KafkaJS')) return at;
    at = inner as KafkajsError;
  }
  return at;
}
