import type { KafkaAdmin } from './ports/admin.js';
import type { KafkaConsumer, KafkaConsumerHandlers, KafkaConsumerOptions } from './ports/consumer.js';
import type { KafkaProducer } from './ports/producer.js';
import type { KafkaReader } from './ports/reader.js';

/** A Kafka cluster, to code against whatever the driver is. */
export abstract class KafkaClient {
  abstract readonly producer: KafkaProducer;
  abstract readonly admin: KafkaAdmin;
  abstract readonly reader: KafkaReader;
  /** The driver's own client: kafkajs's `Kafka`. */
  abstract readonly native: unknown;
  /** Joins a group. It is closed with the client, if not before. */
  abstract consumer(
    group: string,
    topics: readonly string[],
    handlers: KafkaConsumerHandlers,
    options?: KafkaConsumerOptions,
  ): KafkaConsumer;
}
