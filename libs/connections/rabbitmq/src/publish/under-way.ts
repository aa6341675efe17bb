import type { ConfirmChannel } from 'amqplib';
import { asBuffer, type MessageFields, messageFields, type OutgoingMessage } from './outgoing.js';

/** What holds for a message beside itself. */
export interface Terms {
  /** By the monotonic clock, in milliseconds. */
  readonly deadline: number;
  readonly timeoutMs: number;
  /** Whether it outlives the connection. */
  readonly waits: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A message on its way. */
export class Outgoing {
  returned = false;
  settled = false;
  readonly fields: MessageFields;
  readonly content: Buffer;

  constructor(
    message: OutgoingMessage,
    exchange: string,
    readonly terms: Terms,
    readonly resolve: () => void,
    readonly reject: (error: unknown) => void,
  ) {
    const { content } = message;
    this.fields = messageFields(message, exchange);
    this.content = typeof content === 'string' ? Buffer.from(content) : asBuffer(content);
  }
}

type Confirmed = (error: Error | null) => void;

/** What a channel of amqplib has and does not document. */
interface Inner {
  sendMessage?(fields: MessageFields, properties: MessageFields, content: Buffer): boolean;
  pushConfirmCallback?(confirmed: Confirmed): void;
}

/**
 * The channel's own `publish`, without what that does to headers first: it makes them the prototype of an empty object, which takes as long as all of
 * the encoding.
 * @returns whether there is room for more
 */
export function publishOn(channel: ConfirmChannel, { fields, content }: Outgoing, confirmed: Confirmed): boolean {
  const inner = channel as unknown as Inner;
  if (!inner.sendMessage || !inner.pushConfirmCallback)
    return channel.publish(fields.exchange, fields.routingKey, content, fields, confirmed);
  const hasRoom = inner.sendMessage(fields, fields, content);
  inner.pushConfirmCallback(confirmed);
  return hasRoom;
}
