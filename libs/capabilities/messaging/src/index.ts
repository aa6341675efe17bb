export {
  DeadLetterRequestError,
  DeadLettersOutOfReachError,
  UnguardedMessagingAdminError,
  UnknownDeadLetterError,
} from './admin/errors.js';
export { MessagingAdminModule, type MessagingAdminOptions } from './admin/messaging-admin.module.js';
export { EventBus, type PublishOptions } from './bus/event-bus.js';
export type { Gauge } from './consume/pressure.js';
export { MessagingHub } from './bus/messaging-hub.js';
export type { DriverSteps } from './bus/open-bus.js';
export type { OpenedDriver, OwnDriver } from './bus/own-driver.js';
export type { MessageStores } from './bus/stores.js';
export { ConsumersConfig } from './config/consumers.config.js';
export { KafkaMessagingConfig } from './config/kafka-messaging.config.js';
export { MessagingConfig, type MessagingDriverName } from './config/messaging.config.js';
export { RetryConfig, type RetryMode } from './config/retry.config.js';
export { type CodecName, TopicConfig } from './config/topic.config.js';
export type {
  ConsumeRequest,
  Consumption,
  DeliverySink,
  DriverFeatures,
  GroupMessage,
  MessageDriver,
  TopicBacklog,
} from './driver/message-driver.js';
export type { OutgoingMessage, Partition, ReceivedMessage, WireMessage } from './driver/message.js';
export {
  BadEventDefinitionError,
  EventAttributeError,
  EventInvalidError,
  EventTooLargeError,
  EventUndecodableError,
  MessageTooLargeError,
  HandlerConflictError,
  HandlerTimeoutError,
  KafkaTopicsMissingError,
  MemoryInProductionError,
  OutsideTransactionError,
  ParkingFullError,
  PublishFailedError,
  PublishTimeoutError,
  RouteConflictError,
  ScheduleUnsupportedError,
  UnknownEventVersionError,
} from './errors.js';
export { NatsPartitionsError, NatsSubjectError, NatsTopicError } from './drivers/nats/errors.js';
export { QueueTakenError } from './drivers/rabbitmq/errors.js';
export { MessagingSchemaMissingError, MessagingSchemaRightsError } from './drivers/postgres/errors.js';
export type { CloudEvent } from './events/cloud-event.js';
export { defineEvent } from './events/define-event.js';
export type {
  DomainEvent,
  EventAttributes,
  EventData,
  EventDefinition,
  EventOptions,
  Upcast,
} from './events/event-definition.js';
export { type MessagingEvent, messagingEvents } from './events/messaging-events.js';
export { connectHandlers } from './handlers/consumers.contributor.js';
export { BatchResult } from './handlers/batch-result.js';
export type { BatchOptions, HandlerOptions, RetryOptions } from './handlers/handler.options.js';
export { Idempotent } from './handlers/idempotent.decorator.js';
export { MessageContext } from './handlers/message-context.js';
export { Receive, Subscribe } from './handlers/subscribe.decorator.js';
export { InboxConfig } from './inbox/inbox.config.js';
export { InboxModule, type InboxOptions } from './inbox/inbox.module.js';
export { getEventBusToken, InjectEventBus, MessagingModule, type MessagingOptions } from './messaging.module.js';
export type { DeadLetter, DeadLetterFilter, DeadLetterStore, DeadReason } from './stores/dead-letters.js';
export type { Inbox } from './stores/inbox.js';
export type { Outbox } from './stores/outbox.js';
export type { ParkedKey, ParkedMessage, ParkingLot, ParkRequest } from './stores/parking.js';
