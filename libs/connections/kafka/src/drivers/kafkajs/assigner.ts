import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';

/**
 * Gives each partition to the member with the fewest among those that subscribe to its topic. kafkajs's own assigner believes that all members
 * subscribe to the leader's topics: two apps in one group, or two versions of one app, would leave topics unread.
 */
export const balanced: PartitionAssigner = ({ cluster }) => ({
  name: 'CoreInfraBalanced',
  version: 0,

  protocol: ({ topics }) => ({
    name: 'CoreInfraBalanced',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
  }),

  async assign({ members }) {
    const subscriptions = members
      .map(({ memberId, memberMetadata }) => ({
        memberId,
        topics: new Set(AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? []),
        load: 0,
        assignment: {} as Record<string, number[]>,
      }))
      .toSorted((one, other) => (one.memberId < other.memberId ? -1 : 1));
    const topics = [...new Set(subscriptions.flatMap(member => [...member.topics]))].toSorted();
    // Of those that the leader does not read itself it knows nothing yet.
    await cluster.addMultipleTargetTopics(topics);
    for (const topic of topics) {
      const readers = subscriptions.filter(member => member.topics.has(topic));
      for (const { partitionId } of cluster.findTopicPartitionMetadata(topic)) {
        const least = readers.reduce((best, member) => (member.load < best.load ? member : best));
        least.load += 1;
        (least.assignment[topic] ??= []).push(partitionId);
      }
    }
    return subscriptions.map(({ memberId, assignment }) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) }),
    }));
  },
});
