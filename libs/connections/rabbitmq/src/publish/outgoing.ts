import { randomUUID } from 'node:crypto';

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

/** The same bytes. @internal */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What goes over the wire beside the content, by amqplib's names: one object for its method and its properties. @internal */
export interface MessageFields {
  readonly exchange: string;
  readonly routingKey: string;
  readonly mandatory: boolean;
  readonly messageId: string;
  /** 2 is persistent. */
  readonly deliveryMode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly correlationId: string | undefined;
  readonly replyTo: string | undefined;
  readonly type: string | undefined;
  readonly appId: string | undefined;
  readonly priority: number | undefined;
  readonly timestamp: number | undefined;
  readonly expiration: string | undefined;
}

/** All of them in each, also those that are not given: objects of one shape are made and read faster. @internal */
export function messageFields(message: OutgoingMessage, exchange: string): MessageFields {
  const { routingKey = '', messageId = randomUUID(), persistent = true, mandatory = true } = message;
  const { timestampMs, expirationMs } = message;
  return {
    exchange,
    routingKey,
    mandatory,
    messageId,
    deliveryMode: persistent ? 2 : 1,
    headers: message.headers ?? {},
    contentType: message.contentType,
    contentEncoding: message.contentEncoding,
    correlationId: message.correlationId,
    replyTo: message.replyTo,
    type: message.type,
    appId: message.appId,
    priority: message.priority,
    timestamp: timestampMs === undefined ? undefined : Math.floor(timestampMs / 1_000),
    expiration: expirationMs === undefined ? undefined : String(expirationMs),
  };
}
