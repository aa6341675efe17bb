import type { NatsClient } from '@core-infra/nats';
import type { ReceivedMessage } from '../../driver/message.js';
import type { Feed } from './feed.js';
import type { RawHeaders } from './raw-headers.js';
import { fromNats } from './wire.js';

type Subscribing = Parameters<NatsClient['connection']['subscribe']>;
/** As the client library gives it. */
export type RawMessage = Parameters<NonNullable<NonNullable<Subscribing[1]>['callback']>>[1];

/**
 * What is kept of a message that this member has: delivered by the server, and neither settled nor given back. The message leads here, and not the other way
 * round: a map that entries come to and go from keeps the old ones in memory for a while.
 */
export interface Held {
  readonly feed: Feed;
  readonly sequence: number;
  readonly time: number;
  readonly bytes: number;
  /** Where the server is told what became of it. */
  reply: string;
  /** When the server was last told that it is worked on. */
  touchedAt: number;
}

/** How it was delivered. */
export interface Delivered {
  readonly headers: RawHeaders | undefined;
  readonly reply: string;
  readonly sequence: number;
  readonly time: number;
  readonly now: number;
}

/** What headers and the client library need beyond a body, in bytes, roughly. */
const OVERHEAD = 500;

/** While it is made. */
type Made = { -readonly [Name in keyof ReceivedMessage]: ReceivedMessage[Name] };

export const heldOf = (message: ReceivedMessage): Held => message.mark as Held;

/** The message, with what is held of it as its mark. */
export function messageOf(
  feed: Feed,
  raw: Pick<RawMessage, 'data'>,
  { headers, reply, sequence, time, now }: Delivered,
): ReceivedMessage {
  const { ref, source, isShared } = feed;
  const found = fromNats(headers, raw.data, `${source.stream}:${sequence}`);
  const held: Held = { feed, sequence, time, bytes: found.body.length + OVERHEAD, reply, touchedAt: now };
  const message: Made = {
    id: found.id,
    topic: ref.topic,
    partition: ref.number,
    position: sequence,
    time,
    attempts: 0,
    headers: found.headers,
    body: found.body,
    mark: held,
  };
  if (found.key !== undefined) message.key = found.key;
  // Elsewhere they are some stranger's.
  if (isShared) {
    const { attempts, 'first-attempt-at': first, 'not-before': due } = found.extra;
    const firstAttemptAt = numberOf(first);
    const notBefore = numberOf(due);
    message.attempts = numberOf(attempts) ?? 0;
    message.redelivered = true;
    if (firstAttemptAt !== undefined) message.firstAttemptAt = firstAttemptAt;
    if (notBefore !== undefined) message.notBefore = notBefore;
  }
  return message;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
