import type { KafkaMessage, KafkaPartition } from '@core-infra/kafka';
import type { Partition, ReceivedMessage } from '../../driver/message.js';
import { Offsets, type Slot } from './offsets.js';
import { bytesOf, FIRST_RETRY_PARTITION, messageOf, retryOf } from './records.js';

/** What a message that was handed over is recognised by. */
export interface Mark {
  readonly feed: Feed;
  readonly slot: Slot;
}

/** Fewer bytes than this part of what may wait, and more is fetched. */
const LOW = 0.5;

/** A partition that this member has: what was fetched of it and waits to be handed over, and what was handed over. */
export class Feed {
  readonly ref: Partition;
  readonly offsets = new Offsets();
  /** Given up: nothing of it is handed over or counted any more. */
  isClosed = false;
  /** Handed over, and neither settled nor released. */
  inHand = 0;
  private readonly waiting: KafkaMessage[] = [];
  private at = 0;
  private bytes = 0;
  private mostBytes = 0;

  /** @param topic the one that its messages are told to be of */
  constructor(
    readonly partition: KafkaPartition,
    readonly topic: string,
    readonly isOfRetries: boolean,
  ) {
    this.ref = { topic, number: partition.partition + (isOfRetries ? FIRST_RETRY_PARTITION : 0) };
  }

  get isEmpty(): boolean {
    return this.at === this.waiting.length;
  }

  /** @param mostBytes when no more is fetched, for the time being */
  add(messages: readonly KafkaMessage[], mostBytes: number): void {
    for (const message of messages) {
      this.waiting.push(message);
      this.bytes += bytesOf(message);
    }
    this.mostBytes = mostBytes;
    if (this.bytes > mostBytes) this.partition.pause();
  }

  /** The next messages, at most so many. */
  take(limit: number): ReceivedMessage[] {
    const taken: ReceivedMessage[] = [];
    const make = this.isOfRetries ? retryOf : messageOf;
    while (taken.length < limit && this.at < this.waiting.length) {
      const record = this.waiting[this.at++]!;
      this.bytes -= bytesOf(record);
      const mark: Mark = { feed: this, slot: this.offsets.hand(record.offset) };
      taken.push(make(this.topic, this.partition.partition, record, mark));
    }
    this.inHand += taken.length;
    if (this.at === this.waiting.length || this.at > 1_024) {
      this.waiting.splice(0, this.at);
      this.at = 0;
    }
    if (this.partition.isPaused && this.bytes <= this.mostBytes * LOW) this.partition.resume();
    return taken;
  }

  close(): void {
    this.isClosed = true;
    this.waiting.length = 0;
    this.at = 0;
    this.bytes = 0;
  }
}
