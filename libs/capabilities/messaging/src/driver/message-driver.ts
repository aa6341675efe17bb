import type { OutgoingMessage, Partition, ReceivedMessage, WireMessage } from './message.js';
import type { DeadLetterStore } from '../stores/dead-letters.js';
import type { ParkingLot } from '../stores/parking.js';

/** What a driver can do; the contract suite holds it to that. */
export interface DriverFeatures {
  /** Messages of one key reach one member of a group, in order. */
  readonly ordered: boolean;
  /** Keeps a message until `notBefore` by its own means. */
  readonly schedule: boolean;
  /** Whom messages reach: this process alone, or whoever has the broker's address. */
  readonly reach: 'process' | 'network';
  /** Messages outlive the process, and the broker's restart. */
  readonly durable: boolean;
  /** Groups are made by subscribing, and get what is published from then on (`subscribers`), or all that is kept (`log`). */
  readonly retention: 'subscribers' | 'log';
  /** Largest message in bytes, headers included, where the broker has said. */
  readonly maxBytes?: number;
}

/** What a group wants of its topics. */
export interface ConsumeRequest {
  readonly group: string;
  readonly topics: readonly string[];
  /** Topics among them that are work queues. */
  readonly queues: readonly string[];
  /** How many messages the driver may hand over without their being settled; what it prefetches by. */
  readonly maxInFlight: number;
  readonly maxBytesInFlight: number;
}

/** What a driver tells of a group's messages; made by the bus. */
export interface DeliverySink {
  /** Awaited before the first message of these partitions is handed over. */
  assigned(partitions: readonly Partition[]): Promise<void>;
  /** Awaited before these partitions are given up; work on them is ended or abandoned. What is settled later is ignored. */
  revoked(partitions: readonly Partition[]): Promise<void>;
  /** Messages in the order of their partition. Returns at once; each is settled later by `Consumption.settle` or `release`. */
  deliver(messages: readonly ReceivedMessage[]): void;
  /** The group can receive nothing: the driver goes on trying, and tells why. `undefined` when it is over. */
  troubled(error: Error | undefined): void;
}

/** A member of a group at work. */
export interface Consumption {
  /** No more messages are fetched; those under way may still be delivered. */
  pause(): void;
  resume(): void;
  /** Handled, dead or kept elsewhere: it is not delivered again, once all before it in its partition are settled where the broker counts so. */
  settle(message: ReceivedMessage): void;
  /** Not handled: the broker delivers it again, to this member or another. */
  release(message: ReceivedMessage): void;
  /** Messages that wait at the broker for this group, for all its members. */
  backlog(signal: AbortSignal): Promise<readonly TopicBacklog[]>;
  /** Resolves when everything settled is known to the broker and the membership is given up. `sink.revoked` has been called before. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface TopicBacklog {
  readonly topic: string;
  /** How many messages wait. */
  readonly messages: number;
  /** Age of the oldest, in milliseconds, where the broker tells. */
  readonly oldestMs?: number;
}

/** Carries messages over one kind of broker. Everything above (codecs, retries, dead letters, outbox, inbox) is the same for all of them. */
export interface MessageDriver {
  /** `kafka`, `memory`, …: a word for metrics and messages. */
  readonly name: string;
  readonly features: DriverFeatures;
  /**
   * Publishes in this order per key: when a message is not accepted, neither are the later ones of its key in this call. One result for each
   * message, at its place: `undefined` when it is durably accepted, else the error.
   * Never rejects.
   * @param signal aborts when nobody waits for it any more. Calls that begin together may share one, so it may abort after this call has ended
   */
  publish(messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<readonly (Error | undefined)[]>;
  /**
   * Whether this error of `publish` says that no group is there to receive the message: one may be on its way, but not for long. An outbox then offers
   * it for about a minute, rather than for some as with what an operator has to mend.
   */
  isUnheard?(error: Error): boolean;
  /**
   * Puts messages where the members of this group alone receive them, as `redelivered`: retries in `fast` mode (with `notBefore`) and replayed
   * dead letters. Resolves when they are durably accepted.
   */
  sendToGroup(group: string, messages: readonly GroupMessage[], signal: AbortSignal): Promise<void>;
  /** Joins the group; resolves when it is a member, or has begun to try. Makes what it needs at the broker. */
  consume(request: ConsumeRequest, sink: DeliverySink, signal: AbortSignal): Promise<Consumption>;
  /** Kept by the broker itself, where the driver brings it: used when there is no database. */
  readonly parking?: ParkingLot;
  /** Where dead letters are kept without a database. */
  readonly deadLetters: DeadLetterStore;
}

/** A message for one group again. */
export interface GroupMessage extends WireMessage {
  readonly attempts: number;
  readonly firstAttemptAt: number;
  /** In milliseconds since 1970; a driver without a delay of its own hands it over at once, and the bus holds it. */
  readonly notBefore?: number;
}
