import type { Batch } from 'kafkajs';
import type { KafkaBatch, KafkaMessage, KafkaPartition } from '../../ports/consumer.js';
import type { RawMessage } from './internals.js';
import { decodedOf } from './own-decoding.js';

/** kafkajs's batch in our words. */
export function batchOf(batch: Batch, partition: KafkaPartition): KafkaBatch {
  return {
    partition,
    highWatermark: BigInt(batch.highWatermark),
    messages: decodedOf(batch) ?? batch.messages.map(messageOf),
  };
}

/** kafkajs's record in our words. */
export function messageOf({ offset, key, value, headers, timestamp }: RawMessage): KafkaMessage {
  return { offset: BigInt(offset), key, value, headers: headers ?? {}, timestamp: Number(timestamp) };
}
