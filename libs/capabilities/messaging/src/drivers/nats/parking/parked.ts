import type { ParkRequest } from '../../../stores/parking.js';
import { pack } from '../packed.js';
import { decode, encode } from '../wire.js';

/** What is kept of a message beside its body. */
export interface ParkedContent {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly time: number;
  readonly firstAttemptAt?: number;
  /** For those who look at the stream with other tools. */
  readonly reason: string;
}

/** A message that is parked, as its owner knows it without its content. */
export interface Parked {
  /** Last word of its subject. */
  readonly ticket: string;
  readonly key: string;
  /** Its number in the stream that it came from; by that a key is in order. */
  readonly position: number;
  /** When that stream got it, in milliseconds since 1970. */
  readonly time: number;
  readonly bytes: number;
  /** Its number in the stream where it is parked. */
  readonly sequence: number;
  /** Something is under subjects behind its own: further parts, or its attempts and time as they were written anew since. */
  hasMore: boolean;
  attempts: number;
  dueAt: number;
  /** Where it is another than it was parked with: what waits behind others is tried later than it is parked. */
  firstAttemptAt?: number | undefined;
}

/** What is written anew of a message with each attempt. */
export type ParkedState = Pick<Parked, 'attempts' | 'dueAt' | 'firstAttemptAt'>;

/** As `MsgHdrs` of the client library. */
interface Headers {
  get(name: string): string;
}

const KEY = 'x-infra-key';
const POSITION = 'x-infra-position';
const TIME = 'x-infra-time';
const BYTES = 'x-infra-bytes';
const ATTEMPTS = 'x-infra-attempts';
const DUE_AT = 'x-infra-due-at';
const FIRST_ATTEMPT_AT = 'x-infra-first-attempt-at';
/** After the subject of a message, for what was written of its attempts since. */
export const STATE = 'state';

/** A stream that is made anew counts from 1 again. */
export const ticketOf = ({ position, time }: { readonly position: number; readonly time: number }): string =>
  `${position}-${Math.trunc(time)}`;

export function stateHeaders({ attempts, dueAt, firstAttemptAt }: ParkedState): Record<string, string> {
  return {
    [ATTEMPTS]: String(attempts),
    [DUE_AT]: String(Math.round(dueAt)),
    ...(firstAttemptAt !== undefined && { [FIRST_ATTEMPT_AT]: String(firstAttemptAt) }),
  };
}

/** @returns what is to be written, and what is known of it then, its number aside */
export function parcelOf({ message, attempts, dueAt, reason }: ParkRequest): {
  readonly parked: Omit<Parked, 'sequence'>;
  readonly bytes: Buffer;
  readonly headers: Record<string, string>;
} {
  const { id, key, headers, body, position, time, firstAttemptAt } = message;
  const content: ParkedContent = {
    id,
    headers,
    time,
    reason,
    ...(firstAttemptAt !== undefined && { firstAttemptAt }),
  };
  const bytes = pack(content, body);
  return {
    parked: {
      ticket: ticketOf(message),
      key,
      position,
      time,
      bytes: bytes.length,
      attempts,
      dueAt,
      hasMore: false,
    },
    bytes,
    headers: {
      [KEY]: encode(key),
      [POSITION]: String(position),
      [TIME]: String(time),
      [BYTES]: String(bytes.length),
      ...stateHeaders({ attempts, dueAt }),
    },
  };
}

/** A message that was parked before, by its headers alone. */
export function parkedOf(ticket: string, sequence: number, headers: Headers): Parked {
  return {
    ticket,
    sequence,
    key: decode(headers.get(KEY)),
    position: Number(headers.get(POSITION)),
    time: Number(headers.get(TIME)),
    bytes: Number(headers.get(BYTES)),
    ...stateOf(headers),
    hasMore: false,
  };
}

export function stateOf(headers: Headers): ParkedState {
  const firstAttemptAt = headers.get(FIRST_ATTEMPT_AT);
  return {
    attempts: Number(headers.get(ATTEMPTS)),
    dueAt: Number(headers.get(DUE_AT)),
    ...(firstAttemptAt && { firstAttemptAt: Number(firstAttemptAt) }),
  };
}
