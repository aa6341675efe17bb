import type { DomainEvent } from '../events/event-definition.js';

export interface PublishOptions {
  /** Gives up when it aborts; what was handed to the broker by then may still be delivered. */
  readonly signal?: AbortSignal;
  /** How long the broker may take to accept, in milliseconds. @default `messaging.publishTimeoutMs` */
  readonly timeoutMs?: number;
}

/** Publishes events, whatever broker carries them. */
export abstract class EventBus {
  /**
   * Publishes to every group that subscribes. Resolves when the broker has durably accepted the event; inside a transaction of a database that
   * has an outbox, when the outbox row is written: it is delivered if, and only if, the transaction commits.
   * @throws EventInvalidError when the data does not fit its class
   * @throws EventTooLargeError
   * @throws PublishTimeoutError
   */
  abstract publish(event: DomainEvent, options?: PublishOptions): Promise<void>;

  /**
   * Publishes several at once, those of one key in this order. None is handed over when one is invalid.
   * @throws PublishFailedError with the events that were not accepted, when the broker has refused some
   */
  abstract publishBatch(events: readonly DomainEvent[], options?: PublishOptions): Promise<void>;

  /**
   * Publishes when the time has come, and not before.
   * @throws ScheduleUnsupportedError when neither the driver nor an outbox can keep it till then
   */
  abstract schedule(event: DomainEvent, at: Date, options?: PublishOptions): Promise<void>;

  /** Puts a task into the work queue of its type: one receiver of all handles it, now or when there is one. */
  abstract send(event: DomainEvent, options?: PublishOptions): Promise<void>;
}
