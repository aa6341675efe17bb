import type { Cluster } from 'kafkajs';
import { type GroupCluster, type GroupCoordinator, rootOf } from './internals.js';

/** What the protocol calls a group of consumers, as against a transaction. */
const GROUP = 0;

/** Which member of which generation of a group this is; the broker refuses offsets of any other. */
export interface Membership {
  readonly memberId: string;
  readonly generationId: number;
  readonly coordinator: GroupCoordinator;
}

export interface MembershipHooks {
  /** Awaited before the member asks for other partitions, or leaves. */
  readonly beforeLeaving: (isLost: boolean) => Promise<void>;
  readonly joined: (membership: Membership) => void;
  readonly left: () => void;
}

/**
 * Waits before a member gives its partitions up. kafkajs tells of a rebalance when it has asked to join again, which is too late; but it joins
 * and leaves through the group's coordinator, which it takes from the cluster that it hands to the partition assigner.
 */
export function watchMembership(given: Cluster, hooks: MembershipHooks): GroupCluster {
  const cluster = given as unknown as GroupCluster;
  const watched = new WeakSet<GroupCoordinator>();
  const find = cluster.findGroupCoordinator.bind(cluster);
  cluster.findGroupCoordinator = async group => {
    const coordinator = await find(group).catch(async (error: unknown) => {
      throw await whyNone(cluster, group.groupId, error);
    });
    if (!watched.has(coordinator)) {
      watched.add(coordinator);
      watch(coordinator, hooks);
    }
    return coordinator;
  };
  return cluster;
}

/** kafkajs asks every broker who coordinates a group, and keeps to itself what they say. */
async function whyNone(cluster: GroupCluster, groupId: string, error: unknown): Promise<unknown> {
  if (rootOf(error).name !== 'KafkaJSGroupCoordinatorNotFound') return error;
  const [nodeId] = cluster.getNodeIds();
  if (nodeId === undefined) return error;
  try {
    const broker = (await cluster.findBroker({ nodeId: String(nodeId) })) as GroupCoordinator;
    await broker.findGroupCoordinator({ groupId, coordinatorType: GROUP });
    return error;
  } catch (reason) {
    return reason;
  }
}

function watch(coordinator: GroupCoordinator, hooks: MembershipHooks): void {
  const join = coordinator.joinGroup.bind(coordinator);
  const leave = coordinator.leaveGroup.bind(coordinator);
  coordinator.joinGroup = async request => {
    // Who has no id any more has been struck off the list.
    await hooks.beforeLeaving(!request.memberId);
    const joined = await join(request);
    hooks.joined({ memberId: joined.memberId, generationId: joined.generationId, coordinator });
    return joined;
  };
  coordinator.leaveGroup = async request => {
    await hooks.beforeLeaving(false);
    const answer = await leave(request);
    hooks.left();
    return answer;
  };
}
