import type { OutgoingMessage, WireMessage } from '../driver/message.js';

/** Why a message is dead. */
export type DeadReason =
  /** Its attempts are used up. */
  | 'attempts'
  /** It has become too old for another attempt. */
  | 'age'
  /** The handler's error says that another attempt cannot help. */
  | 'not-retryable'
  /** Its bytes, headers or envelope cannot be read. */
  | 'undecodable'
  /** Its data does not fit the class of its event. */
  | 'invalid'
  /** Its version is newer than this consumer knows. */
  | 'unknown-version'
  /** The outbox could not publish it. */
  | 'unpublishable';

/** A message that a group has given up, as it came. */
export interface DeadLetter {
  /** Id of the dead letter itself, a UUIDv7. */
  readonly id: string;
  readonly group: string;
  /** Original bytes and headers. */
  readonly message: WireMessage;
  /** What it was published as, of one that the outbox could not publish. */
  readonly kind?: OutgoingMessage['kind'];
  readonly reason: DeadReason;
  readonly error: {
    readonly name: string;
    readonly code?: string;
    readonly message: string;
    /** Not in production. */ readonly stack?: string;
  };
  readonly partition: number;
  readonly position: number;
  readonly attempts: number;
  /** In milliseconds since 1970. */
  readonly firstAttemptAt: number;
  readonly lastAttemptAt: number;
  readonly traceId?: string;
}

export interface DeadLetterFilter {
  readonly group?: string;
  readonly topic?: string;
  readonly key?: string;
  /** Code or name of the error. */
  readonly error?: string;
  readonly reason?: DeadReason;
  /** Of the last attempt, in milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
}

export interface DeadLetterStore {
  /** Resolves when it is durable; only then the message is settled. */
  add(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void>;
  /** Oldest first. */
  list(
    filter: DeadLetterFilter,
    page: { readonly limit: number; readonly after?: string },
    signal: AbortSignal,
  ): Promise<readonly DeadLetter[]>;
  get(id: string, signal: AbortSignal): Promise<DeadLetter | undefined>;
  remove(ids: readonly string[], signal: AbortSignal): Promise<number>;
  count(filter: DeadLetterFilter, signal: AbortSignal): Promise<number>;
  /**
   * How many each group has; where only their total is known, that under `''`; nothing while it cannot be told. For metrics, so it asks no more
   * than a health check may: a store that would have to read the letters for it leaves it out.
   */
  sizes?(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
}
