import type { MsgHdrs } from '@nats-io/transport-node';
import type { ScheduleOptions, StreamExpectations } from '@nats-io/jetstream';

/** A message for a stream. */
export interface NatsOutgoing {
  readonly subject: string;
  readonly data: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | MsgHdrs;
  /** The same id again within the stream's duplicate window is no second message. @default a new UUID */
  readonly msgId?: string;
  /** How long the message lives, in milliseconds (whole seconds); the stream must allow it. */
  readonly ttlMs?: number;
  /** What must be true of the stream. */
  readonly expect?: Partial<StreamExpectations>;
  /** When it is to be published, and where to; the stream must allow it. */
  readonly schedule?: ScheduleOptions;
}

export interface NatsPublishOptions {
  /** Gives up; what was sent already may still arrive. */
  readonly signal?: AbortSignal;
  /** How long it may take until a stream has it, in milliseconds. @default the connection's deliveryTimeoutMs */
  readonly timeoutMs?: number;
  /** @default the connection's whileAway */
  readonly whileAway?: 'wait' | 'fail';
}
