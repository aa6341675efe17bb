import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitmqClient, RabbitmqConsumer, RabbitmqMessage } from '@core-infra/rabbitmq';
import type { Partition, ReceivedMessage } from '../../driver/message.js';
import { lockOf } from './names.js';
import { fromAmqp } from './wire.js';

/** How long the broker has for what was settled last, in milliseconds. */
const SETTLING_MS = 50;

/** What a message is settled by. */
export interface Mark {
  readonly queue: HeldQueue;
  readonly delivered: RabbitmqMessage;
}

/** A queue that this member takes messages from: a partition, which it has to itself, or what its group gets again, which all members share. */
export class HeldQueue {
  /** Delivered by the broker, and not yet handed over; as they came, since what is made of them would be in memory all the while. */
  private waiting: RabbitmqMessage[] = [];
  /** Whether messages may be handed over: the bus knows that the partition is served here. */
  isServed = false;
  /** Pending while it is given up. */
  leaving?: Promise<void>;
  /** Resolves when it was taken, or could not be. */
  taken: Promise<unknown> = Promise.resolve();
  private consumer?: RabbitmqConsumer;
  /** Settled, and not yet told to the broker. */
  private settled: RabbitmqMessage[] = [];
  private isLocked = false;
  private position = 0;

  constructor(
    private readonly client: RabbitmqClient,
    readonly ref: Partition,
    readonly name: string,
    /** What it consumes, by its whole name. */
    private readonly source: string,
    readonly isShared: boolean,
  ) {}

  get isConsuming(): boolean {
    return this.consumer !== undefined;
  }

  /**
   * Makes the queue this member's own. RabbitMQ does not keep other consumers from a quorum queue, so a queue that belongs to one connection stands for it: it
   * goes with the connection.
   * @returns whether nobody else has it
   */
  async lock(): Promise<boolean> {
    if (this.isShared) return true;
    const name = this.client.queueName(lockOf(this.name));
    try {
      await this.client.withChannel(channel =>
        channel.assertQueue(name, { exclusive: true, durable: false, autoDelete: false }),
      );
    } catch (error) {
      if (isLockedByOther(error)) return false;
      throw error;
    }
    this.isLocked = true;
    return true;
  }

  get hasWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** Messages that are to be handed over now. */
  take(most: number): ReceivedMessage[] {
    return this.waiting.splice(0, most).map(message => this.received(message));
  }

  /** What waits here goes back with the channel. */
  empty(): void {
    this.waiting = [];
  }

  /** @param prefetch stays as it is: what comes again must all fit into it, or the broker would put what has come behind what has not */
  async consume(prefetch: number, arrived: () => void, lost: () => void): Promise<void> {
    let isLost = false;
    const onLost = (): void => {
      isLost = true;
      // It is not to go on by itself once the connection is back: what it had must be given up first, or order would be lost.
      void this.consumer?.cancel();
      this.consumer = undefined;
      lost();
    };
    const consumer = await this.client.consume(
      this.source,
      { prefetch: Math.min(prefetch, 65_535), wholeName: true, onLost },
      (message: RabbitmqMessage) => {
        if (isLost) return;
        this.waiting.push(message);
        arrived();
      },
    );
    if (isLost) return consumer.cancel();
    this.consumer = consumer;
  }

  /** It is told to the broker with all others that are settled in this turn of the event loop. */
  settle(message: RabbitmqMessage): void {
    if (this.settled.push(message) === 1) setImmediate(() => this.acknowledge());
  }

  private acknowledge(): void {
    const { settled } = this;
    this.settled = [];
    this.consumer?.ackAll(settled);
  }

  /** What is not settled goes back in its order, as it does with a channel; many that are rejected at once would not. */
  async end(): Promise<void> {
    this.empty();
    this.acknowledge();
    const { consumer } = this;
    this.consumer = undefined;
    // A channel of the broker keeps what it has not yet told the queue to itself, and it would be lost with it: the messages would come again.
    if (consumer?.isActive) await sleep(SETTLING_MS);
    await consumer?.cancel();
    if (!this.isLocked || !this.client.isConnected) return;
    const name = this.client.queueName(lockOf(this.name));
    try {
      await this.client.withChannel(channel => channel.deleteQueue(name));
    } catch (error) {
      // The connection that had it is gone, and another member has it by now.
      if (!isLockedByOther(error)) throw error;
    }
    this.isLocked = false;
  }

  private received(delivered: RabbitmqMessage): ReceivedMessage {
    const { message, extra, time } = fromAmqp(delivered);
    const { id, key, headers, body } = message;
    const { topic, number: partition } = this.ref;
    const mark: Mark = { queue: this, delivered };
    const received: Writable<ReceivedMessage> = {
      id,
      topic,
      headers,
      body,
      partition,
      position: this.position++,
      time: time ?? Date.now(),
      attempts: 0,
      mark,
    };
    if (key !== undefined) received.key = key;
    if (!this.isShared) return received;
    return {
      ...received,
      redelivered: true,
      attempts: number(extra.attempts) ?? 0,
      ...numbers('firstAttemptAt', extra['first-attempt-at']),
      ...numbers('notBefore', extra['not-before']),
    };
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A queue that belongs to another connection. */
export function isLockedByOther(error: unknown): boolean {
  return error instanceof Error && /RESOURCE[-_]LOCKED/.test(error.message);
}

function number(text: string | undefined): number | undefined {
  const value = Number(text);
  return text === undefined || !Number.isSafeInteger(value) || value < 0 ? undefined : value;
}

function numbers(name: 'firstAttemptAt' | 'notBefore', text: string | undefined): Partial<ReceivedMessage> {
  const value = number(text);
  return value === undefined ? {} : { [name]: value };
}
