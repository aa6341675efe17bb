import { createHash } from 'node:crypto';
import type { RabbitmqMessage } from '@core-infra/rabbitmq';
import type { Partition, WireMessage } from '../../driver/message.js';
import type { ParkedMessage } from '../../stores/parking.js';
import { fromAmqp, type OwnHeaders } from './wire.js';

/** A message in the parking queue. */
export interface Copy {
  readonly ticket: string;
  /** In hand; not for a moment while it is on its way here. */
  delivered?: RabbitmqMessage;
  /** Who waits for its content. */
  asked?: PromiseWithResolvers<WireMessage>;
}

/** A parked message, whichever copy of it counts. */
export interface Entry {
  /** What it is told by from others, whichever delivery of it was parked. */
  readonly identity: string;
  readonly key: string;
  /** Ascends within a key, and stays as it is over all attempts. */
  readonly order: number;
  readonly time: number;
  readonly firstAttemptAt?: number;
  readonly reason: string;
  attempts: number;
  dueAt: number;
  /** As it came, while there is memory for it. */
  wire?: WireMessage;
  /** How many bytes of memory are counted for it. */
  isKept?: number;
  copy: Copy;
}

/** What a copy says. */
export interface Read extends Omit<Entry, 'identity' | 'key' | 'copy' | 'wire' | 'isKept'> {
  readonly ticket: string;
  readonly wire: WireMessage;
}

/** As it is handed over. */
export function messageOf(
  { identity: ticket, key, time, attempts, firstAttemptAt }: Entry,
  { id, headers, body }: WireMessage,
  group: string,
  { topic, number: partition }: Partition,
): ParkedMessage {
  const first = firstAttemptAt === undefined ? {} : { firstAttemptAt };
  return { id, topic, key, headers, body, ticket, group, partition, time, attempts, ...first };
}

/** Headers of a copy, without their prefix. */
export function extraOf({ order, time, attempts, firstAttemptAt, dueAt, reason }: Entry, ticket: string): OwnHeaders {
  return {
    ticket,
    order: String(order),
    time: String(time),
    attempts: String(attempts),
    'due-at': String(dueAt),
    reason,
    ...(firstAttemptAt !== undefined && { 'first-attempt-at': String(firstAttemptAt) }),
  };
}

/** @returns nothing of a message that is no copy of ours */
export function readParked(delivered: RabbitmqMessage, topic: string): Read | undefined {
  try {
    const { message, extra } = fromAmqp(delivered);
    const { ticket, order, time, attempts, reason = '' } = extra;
    if (ticket === undefined || order === undefined || message.key === undefined) return undefined;
    const first = extra['first-attempt-at'];
    return {
      ticket,
      order: Number(order),
      time: Number(time),
      attempts: Number(attempts),
      dueAt: Number(extra['due-at']),
      reason,
      ...(first !== undefined && { firstAttemptAt: Number(first) }),
      wire: { ...message, topic },
    };
  } catch {
    return undefined;
  }
}

/** Another system's ids may be anybody's: of one id, what comes from another source or says something else is another message. */
export function identityOf({ id, headers, body }: WireMessage): string {
  const hash = createHash('sha256');
  for (const part of [headers.ce_source ?? '', id]) hash.update(`${Buffer.byteLength(part)} `).update(part);
  return hash.update(body).digest('base64url');
}

/** About as much memory as it takes. */
export function sizeOf({ headers, body }: WireMessage): number {
  let bytes = body.length + 500;
  for (const name in headers) bytes += name.length + headers[name]!.length;
  return bytes;
}

/** Bytes of parked messages that a process keeps in memory; what does not fit is had from the broker again. */
export class Memory {
  private taken = 0;

  constructor(private readonly most: number) {}

  take(bytes: number): boolean {
    if (this.taken + bytes > this.most) return false;
    this.taken += bytes;
    return true;
  }

  free(bytes: number): void {
    this.taken -= bytes;
  }
}
