import { CreateMessagingDeadLetters1763700000003 } from './dead-letters.migration.js';
import { CreateMessagingIdempotencyKeys1763700000005 } from './idempotency-keys.migration.js';
import { CreateMessagingInbox1763700000002 } from './inbox.migration.js';
import { CreateMessagingOutbox1763700000001 } from './outbox.migration.js';
import { CreateMessagingOutboxRelays1763700000006 } from './outbox-relays.migration.js';
import { CreateMessagingParked1763700000004 } from './parked.migration.js';

export {
  AnswerNotKeptError,
  IdempotencyKeyBusyError,
  IdempotencyKeyRequiredError,
  IdempotencyKeyReusedError,
} from './idempotency-key/errors.js';
export { IdempotencyConfig } from './idempotency-key/idempotency.config.js';
export {
  IdempotencyKey,
  IdempotencyKeyInterceptor,
  type IdempotencyKeyOptions,
} from './idempotency-key/idempotency-key.interceptor.js';
export { OutboxTablesMissingError } from './errors.js';
export { OutboxConfig } from './outbox.config.js';
export { OutboxModule, type OutboxOptions } from './outbox.module.js';
export { OutboxRelay } from './outbox.js';
export { OUTBOX_GROUP } from './relay/relay.js';

/** Migrations of everything here, for `database.migrations.classes`. */
export const messagingMigrations = [
  CreateMessagingOutbox1763700000001,
  CreateMessagingInbox1763700000002,
  CreateMessagingDeadLetters1763700000003,
  CreateMessagingParked1763700000004,
  CreateMessagingIdempotencyKeys1763700000005,
  CreateMessagingOutboxRelays1763700000006,
];
