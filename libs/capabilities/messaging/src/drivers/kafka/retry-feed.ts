import type { KafkaMessage } from '@core-infra/kafka';
import type { ReceivedMessage } from '../../driver/message.js';
import { Feed } from './feed.js';
import { retryOf } from './records.js';

interface Waiting {
  readonly message: ReceivedMessage;
  readonly bytes: number;
  readonly dueAt: number;
}

/** A partition of retries: each waits here until its time has come, so that none of them takes up the place of what can be handled now. */
export class RetryFeed extends Feed {
  /** The one that is due first is the first. */
  private readonly line: Waiting[] = [];

  override get nextAt(): number {
    return this.line[0]?.dueAt ?? Infinity;
  }

  protected override keep(record: KafkaMessage, bytes: number): void {
    // In the order of their offsets, whatever order they are handed over in: none is committed before those that wait longer.
    const message = retryOf(this.ref.topic, this.partition.partition, record, this.markOf(record));
    const waiting = { message, bytes, dueAt: message.notBefore ?? 0 };
    this.line.splice(this.placeOf(waiting.dueAt), 0, waiting);
  }

  protected override pick(limit: number, now: number): ReceivedMessage[] {
    let due = 0;
    let bytes = 0;
    while (due < limit && due < this.line.length && this.line[due]!.dueAt <= now) bytes += this.line[due++]!.bytes;
    const taken = this.line.splice(0, due).map(({ message }) => message);
    this.count(-bytes);
    return taken;
  }

  protected override clear(): void {
    this.line.length = 0;
  }

  /** Behind all that are due no later. */
  private placeOf(dueAt: number): number {
    let low = 0;
    let high = this.line.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.line[middle]!.dueAt <= dueAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
