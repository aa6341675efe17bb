/** A message to be published. */
export interface OutgoingMessage {
  readonly content: Uint8Array | string;
  /** Which exchange. @default the configured one */
  readonly exchange?: string;
  /** @default '' */
  readonly routingKey?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  /** What it is found again by; also what tells a returned message from others that are under way. @default a new UUID */
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly replyTo?: string;
  readonly type?: string;
  readonly appId?: string;
  /** In milliseconds since 1970; AMQP keeps seconds. */
  readonly timestampMs?: number;
  /** How long it may wait in a queue, in milliseconds. */
  readonly expirationMs?: number;
  readonly priority?: number;
  /** Whether it survives the broker's restart. @default true */
  readonly persistent?: boolean;
  /** Whether it is an error when no queue is bound for it. @default true */
  readonly mandatory?: boolean;
}

export interface PublishOptions {
  /** Gives up; what was sent already may still arrive. */
  readonly signal?: AbortSignal;
  /** How long it may take until the broker has it, in milliseconds. @default the connection's deliveryTimeoutMs */
  readonly timeoutMs?: number;
  /** @default the connection's whileAway */
  readonly whileAway?: 'wait' | 'fail';
}
