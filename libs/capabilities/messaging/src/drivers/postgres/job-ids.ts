import { randomBytes, randomUUID } from 'node:crypto';

/** UUIDs of version 7 that ascend as they are given out, which keeps the order of messages that are inserted together. */
export class JobIds {
  private readonly tail = randomBytes(4).toString('hex');
  private last = 0;
  private count = 0;
  /** What all of the last millisecond begin with. */
  private time = '';

  next(now: number): string {
    if (now > this.last) this.begin(now);
    else if (++this.count === 2 ** 30) this.begin(this.last + 1);
    // 12 bits after the version, 14 after the variant, 4 after those.
    const high = (this.count >>> 18).toString(16).padStart(3, '0');
    const middle = (0x8000 | ((this.count >>> 4) & 0x3fff)).toString(16);
    const low = (this.count & 0xf).toString(16);
    // Random bytes by themselves cost more than all else here: those of a UUID come from a store of them.
    return `${this.time}${high}-${middle}-${low}${randomUUID().slice(33)}${this.tail}`;
  }

  private begin(last: number): void {
    this.last = last;
    this.count = 0;
    const time = last.toString(16).padStart(12, '0');
    this.time = `${time.slice(0, 8)}-${time.slice(8)}-7`;
  }
}
