/** An exchange, as it should be. */
export interface ExchangeDeclaration {
  readonly name: string;
  /** @default 'topic' */
  readonly type?: 'direct' | 'topic' | 'fanout' | 'headers' | (string & {});
  /** @default true */
  readonly durable?: boolean;
  /** Only other exchanges may publish to it. @default false */
  readonly internal?: boolean;
  /** Deleted with its last binding. @default false */
  readonly autoDelete?: boolean;
  /** Where messages go that no queue is bound for. */
  readonly alternateExchange?: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** Where messages go that are rejected, expire or do not fit: an exchange, or a queue of ours. */
export type DeadLetters = { readonly queue: string } | { readonly exchange: string; readonly routingKey?: string };

/** A queue, as it should be. The configured prefix is put before its name. */
export interface QueueDeclaration {
  readonly name: string;
  /** Quorum queues are replicated and count deliveries; classic ones are for what may be lost. @default 'quorum' */
  readonly type?: 'quorum' | 'classic' | 'stream';
  /** Only a classic queue may be otherwise. @default true */
  readonly durable?: boolean;
  /** Only of this connection, and gone with it; classic. @default false */
  readonly exclusive?: boolean;
  /** Deleted with its last consumer; classic. @default false */
  readonly autoDelete?: boolean;
  /** How often a message may come back before it goes to the dead letters; quorum. @default the broker's */
  readonly deliveryLimit?: number;
  readonly deadLetters?: DeadLetters;
  /** `at-least-once` keeps messages until the dead letters have them; needs `overflow: 'reject-publish'`; quorum. @default 'at-most-once' */
  readonly deadLetterStrategy?: 'at-most-once' | 'at-least-once';
  /** How long a message may wait in the queue, in milliseconds. */
  readonly messageTtlMs?: number;
  /** The queue is deleted when nobody has used it for so long, in milliseconds. */
  readonly expiresMs?: number;
  readonly maxLength?: number;
  readonly maxLengthBytes?: number;
  /** What becomes of messages that do not fit. @default 'drop-head' */
  readonly overflow?: 'drop-head' | 'reject-publish' | 'reject-publish-dlx';
  /** Whether one consumer at a time is served, others standing by. @default false */
  readonly singleActiveConsumer?: boolean;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** A queue bound to an exchange, or an exchange bound to another one. */
export interface BindingDeclaration {
  /** The exchange that messages come from. */
  readonly exchange: string;
  readonly queue?: string;
  readonly toExchange?: string;
  /** @default '' */
  readonly routingKey?: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

/** Exchanges, queues and bindings that belong together. */
export interface Topology {
  readonly exchanges?: readonly ExchangeDeclaration[];
  readonly queues?: readonly QueueDeclaration[];
  readonly bindings?: readonly BindingDeclaration[];
}
