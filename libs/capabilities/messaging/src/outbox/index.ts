import { CreateMessagingOutbox1763700000001 } from './outbox.migration.js';

export { OutboxTablesMissingError } from './errors.js';
export { OutboxConfig } from './outbox.config.js';
export { OutboxModule, type OutboxOptions } from './outbox.module.js';
export { OutboxRelay } from './outbox.js';
export { OUTBOX_GROUP } from './relay/relay.js';

/** Migrations of everything here, for `database.migrations.classes`. */
export const messagingMigrations = [CreateMessagingOutbox1763700000001];
