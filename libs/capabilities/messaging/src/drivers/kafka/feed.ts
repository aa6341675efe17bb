import type { KafkaMessage, KafkaPartition } from '@core-infra/kafka';
import type { Partition, ReceivedMessage } from '../../driver/message.js';
import { Offsets, Slot } from './offsets.js';
import { LOW, type Prefetch } from './prefetch.js';
import { bytesOf, messageOf } from './records.js';

/** What a message that was handed over is recognised by. */
export class Mark extends Slot {
  constructor(
    readonly feed: Feed,
    offset: bigint,
  ) {
    super(offset);
  }
}

/** A partition that this member has: what was fetched of it and waits to be handed over, and what was handed over. */
export class Feed {
  readonly ref: Partition;
  readonly offsets = new Offsets();
  /** Given up: nothing of it is handed over or counted any more. */
  isClosed = false;
  /** Handed over, and neither settled nor released. */
  inHand = 0;
  private readonly waiting: KafkaMessage[] = [];
  /** How large each of them is. */
  private readonly sizes: number[] = [];
  private at = 0;
  private bytes = 0;

  /** @param ref what its messages are told to be of */
  constructor(
    readonly partition: KafkaPartition,
    ref: Partition,
    private readonly prefetch: Prefetch,
  ) {
    this.ref = ref;
  }

  /** When the next message may be handed over, in milliseconds since 1970; `Infinity` when none waits. */
  get nextAt(): number {
    return this.at < this.waiting.length ? 0 : Infinity;
  }

  add(messages: readonly KafkaMessage[]): void {
    let bytes = 0;
    for (const message of messages) {
      const size = bytesOf(message);
      this.keep(message, size);
      bytes += size;
    }
    this.count(bytes);
  }

  /** The next messages of those whose time has come, at most so many. */
  take(limit: number, now: number): ReceivedMessage[] {
    const taken = this.pick(limit, now);
    this.inHand += taken.length;
    return taken;
  }

  /** Whether more is to be fetched. */
  weigh(): void {
    if (this.isClosed) return;
    const { partition, prefetch, bytes } = this;
    const isFull = bytes > prefetch.share * (partition.isPaused ? LOW : 1);
    if (isFull || prefetch.isClosedTo(bytes)) partition.pause();
    else partition.resume();
  }

  close(): void {
    this.isClosed = true;
    this.clear();
    this.prefetch.leave(this);
    this.prefetch.change(-this.bytes);
    this.bytes = 0;
  }

  protected keep(record: KafkaMessage, bytes: number): void {
    this.waiting.push(record);
    this.sizes.push(bytes);
  }

  /** The mark of what is handed over now, or has its place among what is. */
  protected markOf({ offset }: KafkaMessage): Mark {
    const mark = new Mark(this, offset);
    this.offsets.hand(mark);
    return mark;
  }

  protected pick(limit: number, _now: number): ReceivedMessage[] {
    const taken: ReceivedMessage[] = [];
    let bytes = 0;
    while (taken.length < limit && this.at < this.waiting.length) {
      bytes += this.sizes[this.at]!;
      const record = this.waiting[this.at++]!;
      taken.push(messageOf(this.ref.topic, this.partition.partition, record, this.markOf(record)));
    }
    if (this.at === this.waiting.length || this.at > 1_024) {
      this.waiting.splice(0, this.at);
      this.sizes.splice(0, this.at);
      this.at = 0;
    }
    this.count(-bytes);
    return taken;
  }

  protected clear(): void {
    this.waiting.length = 0;
    this.sizes.length = 0;
    this.at = 0;
  }

  /** So many bytes wait more, or less. */
  protected count(bytes: number): void {
    this.bytes += bytes;
    this.prefetch.change(bytes);
    this.weigh();
  }
}
