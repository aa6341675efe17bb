import { randomUUID } from 'node:crypto';
import type { Options } from 'amqplib';

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

/** What amqplib takes of a message. @internal */
export function properties(message: OutgoingMessage): Options.Publish & { messageId: string } {
  const { messageId = randomUUID(), persistent = true, mandatory = true, timestampMs, expirationMs } = message;
  const { headers, contentType, contentEncoding, correlationId, replyTo, type, appId, priority } = message;
  return {
    messageId,
    persistent,
    mandatory,
    ...(headers && { headers }),
    ...(contentType !== undefined && { contentType }),
    ...(contentEncoding !== undefined && { contentEncoding }),
    ...(correlationId !== undefined && { correlationId }),
    ...(replyTo !== undefined && { replyTo }),
    ...(type !== undefined && { type }),
    ...(appId !== undefined && { appId }),
    ...(priority !== undefined && { priority }),
    ...(timestampMs !== undefined && { timestamp: Math.floor(timestampMs / 1_000) }),
    ...(expirationMs !== undefined && { expiration: String(expirationMs) }),
  };
}
