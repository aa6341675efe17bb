import type { Held } from './held.js';

/** Messages that were delivered and not yet handed over, in their order. */
export class Waiting {
  private messages: Held[] = [];
  /** What they come to. */
  bytes = 0;

  get length(): number {
    return this.messages.length;
  }

  add(held: Held): void {
    this.messages.push(held);
    this.bytes += held.bytes;
  }

  /** At most so many; one at least is taken, however large it is. */
  take(most: number, maxBytes: number): Held[] {
    let count = 0;
    let bytes = 0;
    while (count < most && count < this.messages.length && (bytes === 0 || bytes < maxBytes))
      bytes += this.messages[count++]!.bytes;
    this.bytes -= bytes;
    return this.messages.splice(0, count);
  }

  sort(): void {
    this.messages.sort((a, b) => a.sequence - b.sequence);
  }

  clear(): void {
    this.messages = [];
    this.bytes = 0;
  }
}
