import type { MessagingHub } from '../bus/messaging-hub.js';
import type { IdempotencyKeys } from './idempotency-key/idempotency-keys.js';

/** The outbox of an app, as its modules see it. */
export abstract class OutboxRelay {
  /** Ties it to a bus: what that publishes in transactions is written here, and relayed by the bus's driver. */
  abstract attach(hub: MessagingHub): void;
  /** Gives a bus what is kept in its database, and nothing else: nothing is relayed. */
  abstract lend(hub: MessagingHub): void;
  /** Answers to requests with an idempotency key. */
  abstract readonly idempotency: IdempotencyKeys;
  /** Looks at once whether there is something to relay. */
  abstract wake(): void;
}
