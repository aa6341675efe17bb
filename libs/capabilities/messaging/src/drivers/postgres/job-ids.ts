import { randomBytes } from 'node:crypto';

/** UUIDs of version 7 that ascend as they are given out, which keeps the order of messages that are inserted together. */
export class JobIds {
  private readonly tail = randomBytes(4).toString('hex');
  private last = 0;
  private count = 0;

  next(now: number): string {
    if (now > this.last) {
      this.last = now;
      this.count = 0;
    } else if (++this.count === 2 ** 30) {
      this.last += 1;
      this.count = 0;
    }
    const time = this.last.toString(16).padStart(12, '0');
    // 12 bits after the version, 14 after the variant, 4 after those.
    const high = (this.count >>> 18).toString(16).padStart(3, '0');
    const middle = (0x8000 | ((this.count >>> 4) & 0x3fff)).toString(16);
    const low = (this.count & 0xf).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${high}-${middle}-${low}${this.random()}${this.tail}`;
  }

  private random(): string {
    return randomBytes(2).toString('hex').slice(1);
  }
}
