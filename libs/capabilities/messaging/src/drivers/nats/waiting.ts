import type { ReceivedMessage } from '../../driver/message.js';
import { heldOf } from './held.js';

/** Messages that were delivered and not yet handed over, in their order. */
export class Waiting {
  private messages: ReceivedMessage[] = [];
  /** What they come to. */
  bytes = 0;

  get length(): number {
    return this.messages.length;
  }

  add(message: ReceivedMessage): void {
    this.messages.push(message);
    this.bytes += heldOf(message).bytes;
  }

  /** At most so many; one at least is taken, however large it is. */
  take(most: number, maxBytes: number): ReceivedMessage[] {
    let count = 0;
    let bytes = 0;
    while (count < most && count < this.messages.length && (bytes === 0 || bytes < maxBytes))
      bytes += heldOf(this.messages[count++]!).bytes;
    this.bytes -= bytes;
    return this.messages.splice(0, count);
  }

  sort(): void {
    this.messages.sort((a, b) => a.position - b.position);
  }

  clear(): void {
    this.messages = [];
    this.bytes = 0;
  }
}
