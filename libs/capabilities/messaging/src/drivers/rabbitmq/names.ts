import { crc32 } from 'node:zlib';

/**
 * Into how many parts the keys of a topic are divided, whoever publishes and whoever subscribes. A publisher names the slot of a message in its routing
 * key; a group with N partitions binds slot s to its queue s % N. So publishers need not know how many partitions a group has.
 */
export const SLOTS = 64;

export function slotOf(key: string): number {
  return crc32(key) % SLOTS;
}

/** Colons are in no name of a topic or a group: no two names below can be the same. */
export const routingKey = (topic: string, slot: number): string => `${topic}.slot:${slot}`;

/** Slots that a partition of so many has. */
export function slotsOf(partition: number, partitions: number): number[] {
  const slots: number[] = [];
  for (let slot = partition; slot < SLOTS; slot += partitions) slots.push(slot);
  return slots;
}

export const tasksExchange = (exchange: string): string => `${exchange}.tasks`;

/** A queue of a group; of a work queue, which has no group but its receivers. */
export const partitionQueue = (group: string, topic: string, partition: number, isTasks: boolean): string =>
  isTasks ? `${topic}:${partition}` : `${group}:${topic}:${partition}`;

/** What a group alone gets again. */
export const againQueue = (group: string, topic: string): string => `${group}:${topic}:again`;

/** What waits of a partition's keys for another attempt, with all that is behind it. */
export const parkedQueue = (queue: string): string => `${queue}:parked`;

/** Whoever has this queue to itself has the other one. */
export const lockOf = (queue: string): string => `${queue}:owner`;

export const DEAD_LETTERS = 'dead-letters';

/**
 * Larger than anything that is counted. A queue without a limit puts what comes back behind all others (RabbitMQ 3.10 and newer), and RabbitMQ 4 throws
 * messages away that have come back twenty times.
 */
export const NO_DELIVERY_LIMIT = 2_147_483_647;
