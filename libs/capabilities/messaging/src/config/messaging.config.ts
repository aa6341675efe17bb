import { ConfigSection, ConnectionConfig, Env, Nested } from '@core-infra/kernel';
import { IsArray, IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import type { EventDefinition } from '../events/event-definition.js';
import { ConsumersConfig } from './consumers.config.js';
import { KafkaMessagingConfig } from './kafka-messaging.config.js';
import { NatsMessagingConfig } from './nats-messaging.config.js';
import { PostgresMessagingConfig } from './postgres-messaging.config.js';
import { RabbitmqMessagingConfig } from './rabbitmq-messaging.config.js';
import { RetryConfig } from './retry.config.js';
import { type CodecName, problemsOfTopics, type TopicConfig } from './topic.config.js';

export type MessagingDriverName = 'memory' | 'postgres' | 'kafka' | 'rabbitmq' | 'nats';

/** Events and tasks between processes. */
@ConfigSection('messaging')
export class MessagingConfig extends ConnectionConfig {
  /** What carries messages. `memory` is for development and specs: it loses what a process had not handled. @default 'memory' */
  @IsIn(['memory', 'postgres', 'kafka', 'rabbitmq', 'nats'])
  driver: MessagingDriverName = 'memory';

  /** Whether the boot waits for the broker (`require`) or goes on and keeps trying (`background`). @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** Whether readiness falls while the broker is away; if not, the app counts as degraded. @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** Whether `memory` may carry messages in production, where it loses them with the process. @default false */
  @IsBoolean()
  allowMemoryInProduction: boolean = false;

  /** What events say of where they come from, a URI reference. @default `/` and the app's name */
  @IsOptional()
  @IsString()
  @Matches(/^[\x21-\x7e]{1,300}$/, { message: 'must be a URI reference' })
  source?: string;

  /** The group of handlers that name none: each group gets every event once. @default the app's name */
  @IsOptional()
  @IsString()
  @Matches(/^[\w.-]{1,200}$/, { message: 'must consist of letters, digits, dots, dashes and underscores' })
  @Env('KAFKA_CONSUMER_GROUP')
  group?: string;

  /** The topic of every type that `topics` gives none; several types then share it. @default a topic for each type, named after it */
  @IsOptional()
  @IsString()
  @Matches(/^[\w.-]{1,200}$/, { message: 'must consist of letters, digits, dots, dashes and underscores' })
  @Env('KAFKA_TOPIC')
  defaultTopic?: string;

  /**
   * Topic, codec and group by type of event, and what is at the broker already:
   * `{ "orders.placed": { topic: "shop.orders", codec: "json", exchange: "shop" } }`. @default none
   */
  @IsObject()
  topics: Record<string, TopicConfig> = {};

  /** Events that are checked by their class though no decorator names their definition. Only in code. @default none */
  @IsArray()
  events: readonly EventDefinition[] = [];

  /** What messages look like where `topics` says nothing. @default 'cloudevents' */
  @IsIn(['cloudevents', 'json', 'raw'])
  codec: CodecName = 'cloudevents';

  /** Where CloudEvents attributes are: in headers (`binary`), or in the body with the data (`structured`). Both are read. @default 'binary' */
  @IsIn(['binary', 'structured'])
  contentMode: 'binary' | 'structured' = 'binary';

  /** How long the broker may take to accept an event, in milliseconds. @default 10_000 */
  @IsInt()
  @Min(1)
  @Max(2_147_483_647)
  publishTimeoutMs: number = 10_000;

  /** Largest message, headers included, in bytes; the broker's own limit holds as well. @default 1_000_000 */
  @IsInt()
  @Min(1_000)
  maxMessageBytes: number = 1_000_000;

  /** With an outbox, what happens to an event that is published outside of a transaction: it goes straight to the broker, or is refused. @default 'publish' */
  @IsIn(['publish', 'refuse'])
  outsideTransaction: 'publish' | 'refuse' = 'publish';

  @Nested(() => ConsumersConfig)
  consumers: ConsumersConfig = new ConsumersConfig();

  @Nested(() => RetryConfig)
  retry: RetryConfig = new RetryConfig();

  @Nested(() => KafkaMessagingConfig)
  kafka: KafkaMessagingConfig = new KafkaMessagingConfig();

  @Nested(() => NatsMessagingConfig)
  nats: NatsMessagingConfig = new NatsMessagingConfig();

  @Nested(() => PostgresMessagingConfig)
  postgres: PostgresMessagingConfig = new PostgresMessagingConfig();

  @Nested(() => RabbitmqMessagingConfig)
  rabbitmq: RabbitmqMessagingConfig = new RabbitmqMessagingConfig();

  /** A codec or a name that is none is told of at boot, with its key. */
  static check({ topics, defaultTopic }: MessagingConfig): Iterable<{ path: string; expected: string }> {
    return problemsOfTopics(topics, defaultTopic);
  }
}
