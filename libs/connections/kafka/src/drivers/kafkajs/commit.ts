import type { PendingCommit } from '../../consumer/commit-queue.js';
import { type GroupCluster, rootOf } from './internals.js';
import type { Membership } from './membership.js';

/** Another broker has the group now, or this one is not ready yet. */
const elsewhere = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'GROUP_LOAD_IN_PROGRESS']);

/** Not through kafkajs's own commit, which says nothing when the consumer does not run, and speaks for whatever generation is the latest. */
export async function commitOnce(
  groupId: string,
  membership: Membership | undefined,
  cluster: GroupCluster | undefined,
  commits: readonly PendingCommit[],
): Promise<void> {
  if (!membership || !cluster) throw new Error('this member has not joined');
  const { memberId, generationId } = membership;
  const topics = new Map<string, { partition: number; offset: string; metadata: string | null }[]>();
  for (const { topic, partition, next, metadata = null } of commits) {
    const partitions = topics.get(topic) ?? [];
    topics.set(topic, partitions);
    partitions.push({ partition, offset: String(next), metadata });
  }
  const send = (coordinator: Membership['coordinator']) =>
    coordinator.offsetCommit({
      groupId,
      memberId,
      groupGenerationId: generationId,
      topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) as never,
    });
  try {
    await send(
      membership.coordinator.isConnected() ? membership.coordinator : await cluster.findGroupCoordinator({ groupId }),
    );
  } catch (error) {
    if (!elsewhere.has(String(rootOf(error).type))) throw error;
    await send(await cluster.findGroupCoordinator({ groupId }));
  }
}

/** Whether the group has done without this member, or goes on without its generation. */
export function isFenced(error: unknown): boolean {
  return /UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION|REBALANCE_IN_PROGRESS|FENCED/.test(String(rootOf(error).type));
}

/** Whether the group has no coordinator for a moment. */
export function isComing(error: unknown): boolean {
  return elsewhere.has(String(rootOf(error).type));
}

/** Whether the broker may take the same offsets later. */
export function isCommitRetryable(error: unknown): boolean {
  const { type, name } = rootOf(error);
  if (type !== undefined) return elsewhere.has(type) || type === 'REQUEST_TIMED_OUT' || type === 'NOT_ENOUGH_REPLICAS';
  return /^KafkaJS(Connection|RequestTimeout|BrokerNotFound|GroupCoordinatorNotFound|Lock|NoBroker)/.test(name);
}
