import type { DeadLetterStore } from '../stores/dead-letters.js';
import type { Inbox } from '../stores/inbox.js';
import type { Outbox } from '../stores/outbox.js';
import type { ParkingLot } from '../stores/parking.js';

/** Where messages are kept beside the broker. Each is there once a module brought it, e.g. OutboxModule, or the driver. */
export interface MessageStores {
  outbox?: Outbox;
  inbox?: Inbox;
  parking?: ParkingLot;
  deadLetters?: DeadLetterStore;
}
