import type { OutgoingMessage } from '../driver/message.js';

/** Keeps what is published inside a transaction until it is committed, and hands it to the broker then. */
export interface Outbox {
  /** Whether a transaction runs here that an event can be part of. */
  readonly isInTransaction: boolean;
  /**
   * Writes the messages in the running transaction, or in one of its own. It rejects when the signal aborts before they are written; the transaction can
   * only be rolled back then.
   */
  write(messages: readonly OutgoingMessage[], signal?: AbortSignal): Promise<void>;
}
