import { uniqueName, useKafkaCluster } from '@core-infra/testing';
import { withKafkaAdmin } from '../../src/kafka/kafka.admin.js';

describe('useKafkaCluster', () => {
  const cluster = useKafkaCluster({ brokers: 3 });

  it('gives a partition another leader when its own is killed, and takes the broker back', async () => {
    const topic = uniqueName('led');
    const ports = cluster.brokers.map(broker => Number(broker.split(':')[1]));
    await withKafkaAdmin(ports[0]!, admin =>
      admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }], waitForLeaders: true }),
    );
    const killed = await cluster.killLeader(topic);
    await cluster.settled();
    const next = await cluster.leaderOf(topic);
    expect([1, 2, 3].filter(id => id !== killed)).toContain(next);
    await cluster.start(killed);
    await cluster.settled();
    const { brokers } = await withKafkaAdmin(ports[next - 1]!, admin => admin.describeCluster());
    expect(brokers.map(({ nodeId }) => nodeId).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  }, 120_000);
});
