import type { ReceivedMessage } from '../driver/message.js';
import type { CloudEvent } from '../events/cloud-event.js';
import type { Handler } from '../handlers/handler.js';
import type { ParkedMessage } from '../stores/parking.js';

/** A message on its way through a process. */
export interface Work {
  readonly message: ReceivedMessage;
  readonly bytes: number;
  /** Set when it comes from the parking lot: the broker has settled it. */
  readonly ticket: ParkedMessage | undefined;
  /** In hand: neither settled nor released. */
  held: boolean;
  /** In hand, and waiting for the next attempt of its key. */
  resting: boolean;
  /** How often it has failed. */
  attempts: number;
  /** When its first attempt began; what waits behind others of its key grows no older by that. */
  firstAttemptAt: number | undefined;
  /** Known once it was read. */
  event: CloudEvent | undefined;
  handler: Handler | undefined;
  /** It was part of a batch that failed as a whole, and is tried by itself. */
  alone: boolean;
}

/** Why an attempt has failed; `reason` where another cannot help. */
export interface Failure {
  readonly error: unknown;
  readonly reason?: 'undecodable' | 'invalid' | 'unknown-version';
}

export function workOf(message: ReceivedMessage, ticket?: ParkedMessage): Work {
  let bytes = message.body.length;
  for (const name in message.headers) bytes += name.length + message.headers[name]!.length;
  return {
    message,
    bytes,
    ticket,
    held: false,
    resting: false,
    attempts: ticket?.attempts ?? message.attempts,
    firstAttemptAt: ticket?.firstAttemptAt ?? message.firstAttemptAt,
    event: undefined,
    handler: undefined,
    alone: false,
  };
}
