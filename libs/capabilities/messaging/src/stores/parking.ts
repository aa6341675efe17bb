import type { Partition, ReceivedMessage, WireMessage } from '../driver/message.js';

/** A message that waits for its next attempt, with all later ones of its key behind it. */
export interface ParkedMessage extends WireMessage {
  /** Where it is kept; ascends within a key. */
  readonly ticket: string;
  readonly group: string;
  readonly partition: number;
  /** Where it stood in its partition at the broker, where that is known. */
  readonly position?: number;
  readonly time: number;
  readonly attempts: number;
  readonly firstAttemptAt?: number;
}

/** What a lot says of a key. */
export interface ParkedKey {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  /** When its first message is due, in milliseconds since 1970. */
  readonly dueAt: number;
  readonly messages: number;
}

/** Keeps messages of keys that cannot go on, durably, so that other keys can. One member of a group has a partition to itself. */
export interface ParkingLot {
  /** The keys of these partitions that have messages here; asked before the partitions are served. */
  keys(group: string, partitions: readonly Partition[], signal: AbortSignal): Promise<readonly ParkedKey[]>;
  /**
   * Appends messages, each behind those of its key. Resolves when they are durable. A message that is here already (same group and id) is not kept twice.
   * @throws ParkingFullError when the bound is reached; the caller then stops fetching
   */
  park(group: string, messages: readonly ParkRequest[], signal: AbortSignal): Promise<void>;
  /** The first messages of a key, in order, at most `limit`; none when the key has none. */
  next(
    group: string,
    key: Omit<ParkedKey, 'dueAt' | 'messages'>,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly ParkedMessage[]>;
  /** Its attempt has failed: it stays at its place until `dueAt`, and keeps the `firstAttemptAt` that the message says. */
  postpone(message: ParkedMessage, attempts: number, dueAt: number, signal: AbortSignal): Promise<void>;
  /** Handled, or dead. */
  remove(messages: readonly ParkedMessage[], signal: AbortSignal): Promise<void>;
  /** For health and metrics. */
  size(group: string | undefined, signal: AbortSignal): Promise<{ readonly keys: number; readonly messages: number }>;
}

export interface ParkRequest {
  readonly message: ReceivedMessage & { readonly key: string };
  readonly attempts: number;
  /** For the first of a key; those behind it wait for it. */
  readonly dueAt: number;
  /** A short reason, for who looks at the lot. */
  readonly reason: string;
}
