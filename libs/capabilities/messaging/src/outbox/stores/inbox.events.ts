import { hash } from 'node:crypto';

/** The size of what stands for an event in the inbox. */
export const eventBytes = 20;

/** A UUID of version 7: its first 32 bits are when it was made, to about a minute. */
const timed = /^([0-9a-f]{8})-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * What stands for events in the inbox: texts of a character for each byte, which cost less than a buffer for each.
 *
 * 128 bits are of the SHA-256 of group and id: nobody finds another id for them. Before these is the time that the event's own id has, so that what
 * comes about the same time is side by side in the index, however large that is; where it has none, more of the hash.
 * @param ids with their source
 */
export function eventsOf(group: string, ids: readonly string[]): string[] {
  const prefix = `${group}\0`;
  let time: string | undefined;
  let timeBytes = '';
  return ids.map(id => {
    const digest = hash('sha256', prefix + id, 'binary');
    const own = timed.exec(id.slice(-36))?.[1];
    if (own === undefined) return digest.slice(0, eventBytes);
    // Most of a batch are of the same minute.
    if (own !== time) timeBytes = Buffer.from((time = own), 'hex').toString('latin1');
    return timeBytes + digest.slice(0, eventBytes - 4);
  });
}
