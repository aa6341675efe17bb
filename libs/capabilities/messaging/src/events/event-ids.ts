import { randomUUID } from 'node:crypto';

/** A UUID of version 7 (RFC 9562): ids ascend with time, which indexes like. */
export function uuidV7(now: number): string {
  return prefixOf(now) + randomUUID().slice(15);
}

/** What all ids of a millisecond begin with. */
function prefixOf(now: number): string {
  const hex = now.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
}

/** Three hexadecimal digits as a number counts up: what is between the time and the random bits of a UUID of version 7. */
const mostCounted = 0x1000;
const high = Array.from({ length: 16 }, (_, at) => at.toString(16));
const low = Array.from({ length: 256 }, (_, at) => at.toString(16).padStart(2, '0'));

/**
 * UUIDs of version 7 one after another: those of a millisecond share their 62 random bits, and tell themselves apart by a count between (RFC 9562,
 * section 6.2, method 1), so they ascend, and cost a fraction of the random bits.
 */
export class EventIds {
  private time = Number.NaN;
  private prefix = '';
  private tail = '';
  private count = 0;

  next(now: number): string {
    if (now !== this.time || this.count === mostCounted) {
      this.time = now;
      this.prefix = prefixOf(now);
      this.tail = randomUUID().slice(18);
      this.count = 0;
    }
    const at = this.count++;
    return this.prefix + high[at >> 8]! + low[at & 0xff]! + this.tail;
  }
}
