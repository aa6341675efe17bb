export { classifyKafka } from './classify.js';
export { KafkaConsumerConfig } from './config/consumer.config.js';
export { KafkaHealthConfig } from './config/health.config.js';
export { type KafkaCompression, KafkaConfig, type KafkaSecurityProtocol } from './config/kafka.config.js';
export { KafkaRetryConfig } from './config/retry.config.js';
export { KafkaSaslConfig, type KafkaSaslMechanism, type KafkaTokenSource } from './config/sasl.config.js';
export { KafkaTlsConfig } from './config/tls.config.js';
export {
  InsecureKafkaError,
  KafkaAuthenticationError,
  KafkaBufferFullError,
  KafkaClosedError,
  KafkaCompressionError,
  KafkaDeliveryTimeoutError,
  KafkaInvalidTopicError,
  KafkaOversizeError,
  KafkaRefusedError,
  KafkaRevokedError,
  KafkaTlsError,
  KafkaTlsFileError,
  KafkaTokenError,
  KafkaUnauthorizedError,
  KafkaUnknownTopicError,
  KafkaUnreachableError,
} from './errors.js';
export { type KafkaEvent, kafkaEvents } from './events.js';
export { KafkaClient } from './kafka.client.js';
export { getKafkaToken, InjectKafka, KafkaModule, type KafkaOptions } from './kafka.module.js';
export type {
  KafkaAdmin,
  KafkaLag,
  KafkaPartitionState,
  KafkaTopic,
  KafkaTopicReport,
  KafkaTopicState,
} from './ports/admin.js';
export type {
  KafkaBatch,
  KafkaConsumer,
  KafkaConsumerHandlers,
  KafkaConsumerOptions,
  KafkaMessage,
  KafkaPartition,
  KafkaRevocation,
} from './ports/consumer.js';
export type { KafkaDelivery, KafkaHeader, KafkaProducer, KafkaRecord, KafkaSendOptions } from './ports/producer.js';
export type { KafkaBounds, KafkaReader } from './ports/reader.js';
// What every user of the package may need of its client.
export { Kafka } from 'kafkajs';
