export { classifyNats } from './classify.js';
export { NatsHealthConfig } from './config/health.config.js';
export { NatsConfig } from './config/nats.config.js';
export { NatsRetryConfig } from './config/retry.config.js';
export { NatsTlsConfig } from './config/tls.config.js';
export type { NatsConsumeOptions, NatsConsumer, NatsMessageHandler } from './consume/consumer.js';
export { NatsMessage, type NatsSettlement } from './consume/delivered.js';
export {
  NatsCredentialsError,
  NatsLoginError,
  NatsMissingError,
  NatsNoRespondersError,
  NatsNoStreamError,
  NatsOversizeError,
  NatsPermissionError,
  NatsRefusedError,
  NatsTimeoutError,
  NatsTlsError,
  NatsTlsFileError,
  NatsTopologyError,
  NatsUnavailableError,
} from './errors.js';
export { NatsClient, type NatsLag, type NatsRequestOptions } from './nats.client.js';
export { getNatsToken, InjectNats, NatsModule, type NatsOptions } from './nats.module.js';
export type { NatsOutgoing, NatsPublishOptions } from './publish/outgoing.js';
export type { ConsumerDeclaration, NatsTopology, StreamDeclaration, TopologyOptions } from './topology/topology.js';
