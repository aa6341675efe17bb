import type { NatsClient } from '@core-infra/nats';
import type { ReceivedMessage } from '../../driver/message.js';
import type { Feed } from './feed.js';
import type { RawHeaders } from './raw-headers.js';
import { fromNats } from './wire.js';

type Subscribing = Parameters<NatsClient['connection']['subscribe']>;
/** As the client library gives it. */
export type RawMessage = Parameters<NonNullable<NonNullable<Subscribing[1]>['callback']>>[1];

/** A message that this member has: delivered by the server, and neither settled nor given back. */
export interface Held {
  readonly feed: Feed;
  readonly sequence: number;
  readonly bytes: number;
  readonly message: ReceivedMessage;
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

export function heldOf(
  feed: Feed,
  raw: Pick<RawMessage, 'data'>,
  { headers, reply, sequence, time, now }: Delivered,
): Held {
  const { message, extra } = fromNats(headers, raw.data, `${feed.source.stream}:${sequence}`);
  // Elsewhere they are some stranger's.
  const { attempts, 'first-attempt-at': first, 'not-before': due } = feed.isShared ? extra : {};
  const firstAttemptAt = numberOf(first);
  const notBefore = numberOf(due);
  const received: ReceivedMessage & { mark?: unknown } = {
    ...message,
    topic: feed.ref.topic,
    partition: feed.ref.number,
    position: sequence,
    time,
    attempts: numberOf(attempts) ?? 0,
    ...(firstAttemptAt !== undefined && { firstAttemptAt }),
    ...(feed.isShared && { redelivered: true }),
    ...(notBefore !== undefined && { notBefore }),
  };
  const held = { feed, sequence, bytes: raw.data.length + OVERHEAD, message: received, reply, touchedAt: now };
  (received as { mark?: unknown }).mark = held;
  return held;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
