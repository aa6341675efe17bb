/** A message as it goes over the wire, whoever carries it. */
export interface WireMessage {
  /** Id of the event; brokers that can, drop what they have seen of it. */
  readonly id: string;
  readonly topic: string;
  /** What is kept in order. */
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What is handed to a driver to publish. */
export interface OutgoingMessage extends WireMessage {
  /** `event`: to every group that subscribes; `task`: to the one queue of the topic, which is made if need be. */
  readonly kind: 'event' | 'task';
  /** Not to be delivered before, in milliseconds since 1970; only where the driver's features say `schedule`. */
  readonly notBefore?: number;
}

/** A part of a topic in which order is kept, and which one member of a group has to itself. */
export interface Partition {
  readonly topic: string;
  /** From 0. A driver without partitions has the number 0 alone. */
  readonly number: number;
}

/** A message that a driver delivers. */
export interface ReceivedMessage extends WireMessage {
  readonly partition: number;
  /** Where it stands in its partition, ascending, e.g. Kafka's offset; drivers without such count as they deliver. */
  readonly position: number;
  /** When the broker took it, in milliseconds since 1970, as far as it says. */
  readonly time: number;
  /** How often it was tried before, as far as the broker or a header tells. 0 for the first time. */
  readonly attempts: number;
  /** When it was tried first, in milliseconds since 1970, where it was. */
  readonly firstAttemptAt?: number;
  /** It came through a queue of this group alone: a retry in `fast` mode, or a replayed dead letter. */
  readonly redelivered?: boolean;
  /** Is not to be handled before, in milliseconds since 1970. */
  readonly notBefore?: number;
  /** The driver's own mark, e.g. a delivery tag. */
  readonly mark?: unknown;
}
