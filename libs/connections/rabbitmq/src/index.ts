export { classifyRabbitmq } from './classify.js';
export { RabbitmqHealthConfig } from './config/health.config.js';
export { RabbitmqConfig } from './config/rabbitmq.config.js';
export { RabbitmqRetryConfig } from './config/retry.config.js';
export { RabbitmqTlsConfig } from './config/tls.config.js';
export type { ConsumeOptions, MessageHandler, RabbitmqConsumer } from './consume/consumer.port.js';
export { RabbitmqMessage, type Settlement } from './consume/delivered.js';
export {
  RabbitmqLoginError,
  RabbitmqMissingError,
  RabbitmqPermissionError,
  RabbitmqRefusedError,
  RabbitmqTimeoutError,
  RabbitmqTlsError,
  RabbitmqTlsFileError,
  RabbitmqTooLargeError,
  RabbitmqTopologyError,
  RabbitmqUnavailableError,
  RabbitmqUnroutableError,
  RabbitmqVhostError,
} from './errors.js';
export type { OutgoingMessage, PublishOptions } from './publish/outgoing.js';
export { AmqpConnection, type QueueDepth, RabbitmqClient } from './rabbitmq.client.js';
export { getRabbitmqToken, InjectRabbitmq, RabbitmqModule, type RabbitmqOptions } from './rabbitmq.module.js';
export type {
  BindingDeclaration,
  DeadLetters,
  ExchangeDeclaration,
  QueueDeclaration,
  Topology,
} from './topology/topology.js';
