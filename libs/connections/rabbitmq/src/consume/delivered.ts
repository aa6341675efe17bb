import type { Channel, ConsumeMessage, MessageProperties } from 'amqplib';

/**
 * What became of a settlement: `done`; `lost`, as the channel that delivered the message is gone and the broker delivers it again, to somebody;
 * `repeated`, as it had been settled before.
 */
export type Settlement = 'done' | 'lost' | 'repeated';

/** Where messages come from: a channel of a consumer. @internal */
export interface Source {
  readonly channel: Channel;
  /** Whether what it delivered can be settled. */
  readonly isOpen: boolean;
  /** Before something is told to the broker. */
  telling(): void;
  settled(message: RabbitmqMessage): void;
}

/** A message from a queue, to be settled once: by `ack`, `nack` or `reject`. */
export class RabbitmqMessage {
  #settled = false;

  /** @internal */
  constructor(
    /** As amqplib gives it. */
    readonly raw: ConsumeMessage,
    private readonly source: Source,
  ) {}

  get content(): Buffer {
    return this.raw.content;
  }

  get properties(): MessageProperties {
    return this.raw.properties;
  }

  get headers(): Readonly<Record<string, unknown>> {
    return this.raw.properties.headers ?? {};
  }

  get exchange(): string {
    return this.raw.fields.exchange;
  }

  get routingKey(): string {
    return this.raw.fields.routingKey;
  }

  get redelivered(): boolean {
    return this.raw.fields.redelivered;
  }

  /** How often it has been delivered before, as quorum queues count; of another queue 0, or 1 for all that came again. */
  get deliveryCount(): number {
    const counted = this.headers['x-delivery-count'];
    return typeof counted === 'number' ? counted : Number(this.redelivered);
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  /** It is done with, and leaves the queue. */
  ack(): Settlement {
    return this.settle(channel => channel.ack(this.raw));
  }

  /** Back to the queue; or, with `requeue: false`, to the dead letters if there are any. @param options.requeue @default true */
  nack({ requeue = true }: { requeue?: boolean } = {}): Settlement {
    return this.settle(channel => channel.nack(this.raw, false, requeue));
  }

  /** To the dead letters of the queue if there are any, else away. */
  reject(): Settlement {
    return this.settle(channel => channel.reject(this.raw, false));
  }

  /** Lets go of content, properties and headers, for one that is kept unsettled for long: it takes next to no memory, and can be settled still. */
  forget(): void {
    const { raw } = this;
    raw.content = Buffer.alloc(0);
    raw.properties = { ...raw.properties, headers: {} };
  }

  /** It is acknowledged by its consumer, together with others. @internal */
  settledWithOthers(): void {
    this.#settled = true;
  }

  private settle(tell: (channel: Channel) => void): Settlement {
    if (this.#settled) return 'repeated';
    this.#settled = true;
    try {
      // Tags are counted by channel: on the next one the same number would be another message.
      if (!this.source.isOpen) return 'lost';
      this.source.telling();
      tell(this.source.channel);
      return 'done';
    } catch {
      // The channel went between the two lines; the broker knows what was not settled.
      return 'lost';
    } finally {
      this.source.settled(this);
    }
  }
}
