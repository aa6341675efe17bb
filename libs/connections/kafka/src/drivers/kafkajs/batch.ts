import type { Batch } from 'kafkajs';
import type { KafkaBatch, KafkaPartition } from '../../ports/consumer.js';

/** kafkajs's batch in our words. */
export function batchOf(batch: Batch, partition: KafkaPartition): KafkaBatch {
  return {
    partition,
    highWatermark: BigInt(batch.highWatermark),
    messages: batch.messages.map(({ offset, key, value, headers, timestamp }) => ({
      offset: BigInt(offset),
      key,
      value,
      headers: headers ?? {},
      timestamp: Number(timestamp),
    })),
  };
}
