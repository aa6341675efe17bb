import type { CheckResult } from '@core-infra/kernel';
import type { KafkaConfig } from '../config/kafka.config.js';
import { KafkaUnauthorizedError, KafkaUnreachableError } from '../errors.js';
import type { KafkajsAdmin } from '../drivers/kafkajs/admin.js';
import type { KafkajsSender } from '../drivers/kafkajs/sender.js';
import type { KafkaConsumer } from '../ports/consumer.js';
import type { BatchingProducer } from '../producer/batching-producer.js';

/** Reachable, and let in. */
export async function checkCluster(admin: KafkajsAdmin): Promise<CheckResult> {
  const began = performance.now();
  const { brokers, controller, clusterId } = await admin.cluster();
  const latencyMs = Math.round((performance.now() - began) * 10) / 10;
  return {
    latencyMs,
    clusterId,
    controller,
    brokers: brokers.map(({ nodeId, host, port }) => ({ id: nodeId, address: `${host}:${port}` })),
    ...(brokers.length === 0 && { degraded: 'the cluster knows no broker' }),
  };
}

/** Whether records find their way: every topic is there, every partition has a leader and enough copies, and the producer may write. */
export async function checkProducer(
  admin: KafkajsAdmin,
  producer: BatchingProducer,
  sender: Pick<KafkajsSender, 'connect'>,
  config: KafkaConfig,
): Promise<CheckResult> {
  const topics = [...new Set([...config.health.topics, ...producer.topics])];
  const reasons: string[] = [];
  const leaderless: string[] = [];
  for (const topic of topics) {
    const partitions = await admin.partitionsOf(topic);
    for (const { partitionId, leader, isr, replicas } of partitions) {
      if (leader < 0) leaderless.push(`${topic}/${partitionId}`);
      else if (isr.length < replicas.length)
        reasons.push(`${topic}/${partitionId} has ${isr.length} of ${replicas.length} copies`);
    }
  }
  if (leaderless.length > 0)
    throw new KafkaUnreachableError(config.brokers.join(','), `no broker leads ${leaderless.slice(0, 5).join(', ')}`);
  // Lets it log in and get its number, by which the broker tells its batches; nothing is written.
  if (producer.topics.length > 0) await sender.connect();
  const { pending, bufferedBytes, lastFailure } = producer;
  const isLasting = lastFailure instanceof KafkaUnauthorizedError;
  if (lastFailure && (pending > 0 || isLasting))
    reasons.push(`the last attempt to write failed: ${lastFailure.message}`);
  if (bufferedBytes > config.maxBufferedBytes * 0.8)
    reasons.push(`${bufferedBytes} of ${config.maxBufferedBytes} bytes wait for their acknowledgement`);
  return {
    topics: topics.length,
    pending,
    bufferedBytes,
    ...(reasons.length > 0 && { degraded: reasons.slice(0, 5).join('; ') }),
  };
}

/** How far the groups of this app are behind, and whether it is in them. */
export async function checkConsumers(
  admin: KafkajsAdmin,
  members: Iterable<KafkaConsumer>,
  { health }: KafkaConfig,
): Promise<CheckResult> {
  const reasons: string[] = [];
  const groups = await Promise.all(
    [...members].map(async ({ group, topics, partitions, failure }) => {
      if (failure) throw failure;
      const lag = (await admin.lag(group, topics)).reduce((sum, each) => sum + each.lag, 0n);
      if (health.maxLag > 0 && lag > BigInt(health.maxLag))
        reasons.push(`the group "${group}" is ${lag} messages behind, more than ${health.maxLag}`);
      return { group, partitions: partitions.length, lag: Number(lag) };
    }),
  );
  return { groups, ...(reasons.length > 0 && { degraded: reasons.join('; ') }) };
}
