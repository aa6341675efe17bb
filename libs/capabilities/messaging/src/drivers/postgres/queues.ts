import { createHash, hash } from 'node:crypto';

/** Into how many parts the messages of a topic and group are divided; each is one member's at a time. The same in all processes, for good. */
export const PARTITIONS = 16;

/** A queue of pg-boss: the messages of a topic for a group. A work queue is the group of its topic's name. */
export const queueOf = (group: string, topic: string): string => `${group}/${topic}`;

/** The part of a key; messages without one are spread. */
export function partitionOf(key: string | undefined): number {
  if (key === undefined) return Math.floor(Math.random() * PARTITIONS);
  return hash('md5', key, 'binary').charCodeAt(0) % PARTITIONS;
}

/** The channel of NOTIFY for those who share a schema. */
export const channelOf = (schema: string): string =>
  `messaging_${createHash('sha256').update(schema).digest('hex').slice(0, 16)}`;

/** The table of parked messages. */
export const parkedIn = (schema: string): string => `${schema}.messaging_parked`;

/** Whether a statement met a queue that somebody has deleted. */
export function isMissingQueue(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === '23502' || code === '23503';
}
