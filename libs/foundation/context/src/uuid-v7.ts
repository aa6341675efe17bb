import { randomUUID } from 'node:crypto';

/**
 * Makes UUIDs of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds since 1970, then 74 random bits.
 * The random part is a version 4 UUID's own, which Node hands out from a pool; the time's text is kept for its millisecond.
 */
export class UuidV7 {
  private at = -1;
  private head = '';

  constructor(private readonly now: () => number = Date.now) {}

  next(): string {
    const at = this.now();
    if (at !== this.at) {
      const hex = at.toString(16).padStart(12, '0');
      this.head = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
      this.at = at;
    }
    return this.head + randomUUID().slice(15);
  }
}
