import type { ConsumerConfig, StreamConfig } from '@nats-io/jetstream';

/** A stream, as it should be. What is not said is the server's default, and not compared. */
export interface StreamDeclaration {
  readonly name: string;
  readonly subjects: readonly string[];
  /** `limits` keeps messages until a limit, `workqueue` until they are acknowledged, `interest` until all consumers have. @default 'limits' */
  readonly retention?: 'limits' | 'workqueue' | 'interest';
  /** @default 'file' */
  readonly storage?: 'file' | 'memory';
  /** How long a message is kept, in milliseconds. @default for ever */
  readonly maxAgeMs?: number;
  readonly maxBytes?: number;
  readonly maxMessages?: number;
  readonly maxMessageBytes?: number;
  /** How long a message id is remembered, so that the same one again is no second message, in milliseconds. @default 120_000 */
  readonly duplicateWindowMs?: number;
  /** What becomes of messages that do not fit: the oldest goes, or the new one is refused. @default 'old' */
  readonly discard?: 'old' | 'new';
  /** How many servers keep it. @default 1 */
  readonly replicas?: number;
  /** Whether messages may be published for later. Needs NATS 2.12. @default false */
  readonly schedules?: boolean;
  /** Anything else, in JetStream's own words. */
  readonly more?: Partial<StreamConfig>;
}

/** A durable pull consumer, as it should be. What is not said is the server's default, and not compared. */
export interface ConsumerDeclaration {
  readonly stream: string;
  /** Its durable name. */
  readonly name: string;
  /** Which subjects of the stream. @default all */
  readonly filterSubjects?: readonly string[];
  /** From where on, when it is made: the whole stream, or what comes then. @default 'all' */
  readonly deliver?: 'all' | 'new' | 'last';
  /** When a message that is not acknowledged is delivered again, in milliseconds. @default 30_000 */
  readonly ackWaitMs?: number;
  /** How often a message is delivered at most; -1 for ever. @default -1 */
  readonly maxDeliver?: number;
  /** Pauses before the deliveries that follow one that was not acknowledged, in milliseconds. */
  readonly backoffMs?: readonly number[];
  /** How many messages may be delivered and not acknowledged, of all who share the consumer. @default 1_000 */
  readonly maxAckPending?: number;
  /** Anything else, in JetStream's own words. */
  readonly more?: Partial<ConsumerConfig>;
}

/** Streams and consumers that belong together. */
export interface NatsTopology {
  readonly streams?: readonly StreamDeclaration[];
  readonly consumers?: readonly ConsumerDeclaration[];
}

export interface TopologyOptions {
  /** What is done when something is there and differs: an error that names each difference, or it is changed. @default 'error' */
  readonly onDifference?: 'error' | 'update';
}
