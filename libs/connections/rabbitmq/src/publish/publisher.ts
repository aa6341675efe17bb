import type { ChannelModel, ConfirmChannel, Message } from 'amqplib';
import {
  RabbitmqMissingError,
  RabbitmqPermissionError,
  RabbitmqRefusedError,
  RabbitmqTimeoutError,
  RabbitmqTooLargeError,
  RabbitmqUnroutableError,
} from '../errors.js';
import { diagnoseReply, replyCode } from '../link/diagnose.js';
import type { GatheredWrites } from '../link/gathered-writes.js';
import type { Link } from '../link/link.js';
import { AbortWatch } from './abort-watch.js';
import type { MessageFields, OutgoingMessage, PublishOptions } from './outgoing.js';
import { Outgoing, publishOn } from './under-way.js';

/** How often is looked for messages whose time is over, in milliseconds. */
const SWEEP_EVERY_MS = 100;

/** How much may wait for the socket before no more is handed to amqplib, in bytes; its own 16 KiB stop after some messages already. */
const BUFFER_BYTES = 1024 * 1024;

/**
 * Publishes on one confirm channel, many at a time, and settles each promise by the broker's word for that message. What is unconfirmed when the
 * connection or the channel is lost is sent again in its order, before anything newer.
 */
export class Publisher {
  private channel?: ConfirmChannel;
  private waiting: Outgoing[] = [];
  /** Where the first that waits is: taking from the front of a long array is slow. */
  private head = 0;
  private readonly inFlight = new Set<Outgoing>();
  private full = false;
  /** Largest content that the broker takes, once it has said so. */
  private most = Infinity;
  /** Sends one at a time until so many have gone, to find out which of them the broker closes the channel for. */
  private oneByOne = 0;
  private sweeper?: NodeJS.Timeout;
  /** Exchanges that were published to, with what the broker said when it last took nothing for them. */
  readonly exchanges = new Map<string, Error | undefined>();
  private unsettled = 0;
  private readonly idle: (() => void)[] = [];
  private readonly aborts = new AbortWatch<Outgoing>((outgoing, reason) => this.abandon(outgoing, reason));

  constructor(
    private readonly link: Link,
    private readonly writes: GatheredWrites,
  ) {
    link.join({
      up: model => {
        this.most = Infinity; // it may have been raised
        return this.open(model);
      },
      down: reason => this.lost(reason),
    });
    link.onChange(isUp => {
      if (isUp) this.flush();
      else if (link.isClosed) this.fail(() => link.unavailable());
    });
  }

  get pending(): number {
    return this.unsettled;
  }

  /** Whether what is published now is sent now. */
  get isOpen(): boolean {
    return this.channel !== undefined && this.link.isUp;
  }

  publish(message: OutgoingMessage, options: PublishOptions = {}): Promise<void> {
    const { config } = this.link;
    const { signal, timeoutMs = config.deliveryTimeoutMs, whileAway = config.whileAway } = options;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.link.isClosed || (whileAway === 'fail' && !this.link.isUp)) return Promise.reject(this.link.unavailable());
    const { exchange = config.exchange, routingKey = '', content } = message;
    const bytes = Buffer.byteLength(content);
    if (bytes > this.most)
      return Promise.reject(new RabbitmqTooLargeError(bytes, this.most, nameOf({ exchange, routingKey })));
    const terms = { deadline: performance.now() + timeoutMs, timeoutMs, waits: whileAway === 'wait', signal };
    return new Promise((resolve, reject) => {
      const outgoing = new Outgoing(message, exchange, terms, resolve, reject);
      if (signal) this.aborts.watch(outgoing, signal);
      this.waiting.push(outgoing);
      this.unsettled += 1;
      this.sweeper ??= setInterval(() => this.sweep(), SWEEP_EVERY_MS).unref();
      this.flush();
    });
  }

  /** Resolves when nothing is under way any more. */
  async drained(signal: AbortSignal): Promise<void> {
    if (this.pending === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.idle.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  private async open(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel({ highWaterMark: BUFFER_BYTES });
    let failure: Error | undefined;
    channel.on('error', (error: Error) => (failure = error));
    channel.on('return', (message: Message) => this.returned(message));
    channel.on('drain', () => {
      this.full = false;
      this.flush();
    });
    channel.on('close', () => {
      if (this.channel !== channel) return;
      this.channel = undefined;
      // Only the channel: the connection is there still.
      if (failure && this.link.isUp) this.refused(failure, model);
    });
    this.full = false;
    this.channel = channel;
  }

  private flush(): void {
    const { maxInFlight } = this.link.config;
    while (this.channel && this.link.isUp && !this.full && this.head < this.waiting.length) {
      if (this.inFlight.size >= (this.oneByOne > 0 ? 1 : maxInFlight)) break;
      const outgoing = this.waiting[this.head++];
      if (outgoing && !outgoing.settled) this.send(this.channel, outgoing);
    }
    if (this.head > 1_000 || this.head === this.waiting.length) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
  }

  private send(channel: ConfirmChannel, outgoing: Outgoing): void {
    this.inFlight.add(outgoing);
    outgoing.returned = false;
    try {
      this.writes.begin();
      this.full = !publishOn(channel, outgoing, error => {
        // Of a channel that is gone, told by its end.
        if (this.channel !== channel || (error && error.message !== 'message nacked')) return;
        this.confirmed(outgoing, error);
      });
    } catch (error) {
      // amqplib could not encode it; or the channel has just been closed, which its end tells.
      if (this.channel !== channel || (error as Error).message.startsWith('Channel clos')) return;
      this.settle(outgoing, error);
    }
  }

  private confirmed(outgoing: Outgoing, nack: Error | null): void {
    if (this.oneByOne > 0) this.oneByOne -= 1;
    const { exchange, routingKey } = outgoing.fields;
    if (this.exchanges.get(exchange) || !this.exchanges.has(exchange)) this.exchanges.set(exchange, undefined);
    let error: Error | undefined;
    if (nack) {
      const reason = 'it was not accepted, as by a queue that is full';
      error = new RabbitmqRefusedError(`a message to ${nameOf(outgoing.fields)}`, reason, { cause: nack });
    } else if (outgoing.returned) error = new RabbitmqUnroutableError(exchange, routingKey);
    this.settle(outgoing, error);
    this.flush();
  }

  /** The broker says so before it confirms the message, in the order of publishing. */
  private returned({ fields, properties: { messageId } }: Message): void {
    for (const outgoing of this.inFlight)
      if (
        !outgoing.returned &&
        outgoing.fields.messageId === messageId &&
        outgoing.fields.routingKey === fields.routingKey &&
        outgoing.fields.exchange === fields.exchange
      ) {
        outgoing.returned = true;
        return;
      }
  }

  /** The broker has closed the channel for one of the messages under way: it is found, and the others are sent again. */
  private refused(failure: Error, model: ChannelModel): void {
    const found = diagnoseReply(failure, this.link.config, 'a message');
    const culprits = this.culprits(found);
    for (const outgoing of culprits) {
      if (found instanceof RabbitmqMissingError || found instanceof RabbitmqPermissionError)
        this.exchanges.set(outgoing.fields.exchange, found);
      const { length } = outgoing.content;
      const error =
        found instanceof RabbitmqTooLargeError
          ? new RabbitmqTooLargeError(length, found.limit, nameOf(outgoing.fields), { cause: failure })
          : found;
      this.settle(outgoing, error);
    }
    const again = [...this.inFlight];
    this.again(again);
    this.oneByOne = culprits.length > 0 ? 0 : again.length;
    this.open(model).then(
      () => this.flush(),
      () => this.link.giveUp(`its channel could not be opened again after ${replyCode(failure) ?? failure.message}`),
    );
  }

  private culprits(found: unknown): Outgoing[] {
    const all = [...this.inFlight];
    if (found instanceof RabbitmqTooLargeError) {
      this.most = found.limit;
      return all.filter(({ content }) => content.length > found.limit);
    }
    if (all.length === 1) return all;
    if (found instanceof RabbitmqMissingError) return all.filter(({ fields }) => fields.exchange === found.resource);
    if (found instanceof RabbitmqPermissionError)
      return all.filter(({ fields }) => `exchange ${fields.exchange || 'amq.default'}` === found.resource);
    return [];
  }

  private lost(reason: string): void {
    this.channel = undefined;
    const unconfirmed = [...this.inFlight];
    this.again(unconfirmed.filter(({ terms }) => terms.waits));
    for (const outgoing of unconfirmed)
      if (!outgoing.terms.waits)
        this.settle(outgoing, this.link.unavailable(new Error(`${reason}; the message may have been accepted`)));
  }

  private again(unconfirmed: readonly Outgoing[]): void {
    for (const outgoing of unconfirmed) this.inFlight.delete(outgoing);
    this.waiting = [...unconfirmed, ...this.waiting.slice(this.head)];
    this.head = 0;
  }

  private fail(error: () => Error): void {
    for (const outgoing of [...this.inFlight, ...this.waiting.slice(this.head)]) this.settle(outgoing, error());
    this.waiting = [];
    this.head = 0;
  }

  private settle(outgoing: Outgoing, error?: unknown): void {
    this.inFlight.delete(outgoing);
    if (outgoing.settled) return;
    outgoing.settled = true;
    const { signal } = outgoing.terms;
    if (signal) this.aborts.unwatch(outgoing, signal);
    this.unsettled -= 1;
    if (error === undefined) outgoing.resolve();
    else outgoing.reject(error);
    if (this.unsettled === 0) for (const tellIdle of this.idle.splice(0)) tellIdle();
  }

  /** Its promise is rejected. What is under way keeps its place until the broker answers, so that the bound of messages under way holds. */
  private abandon(outgoing: Outgoing, error: unknown): void {
    const isUnderWay = this.inFlight.has(outgoing);
    this.settle(outgoing, error);
    if (isUnderWay && this.channel) this.inFlight.add(outgoing);
  }

  private sweep(): void {
    const now = performance.now();
    const { at, isUp } = this.link;
    const late = (outgoing: Outgoing): void => {
      const { deadline, timeoutMs } = outgoing.terms;
      if (outgoing.settled || deadline > now) return;
      const why = isUp ? this.link.blockedBy() : this.link.reason;
      const what = `confirm a message to ${nameOf(outgoing.fields)}`;
      this.abandon(outgoing, new RabbitmqTimeoutError(at.id, what, timeoutMs, why));
    };
    for (const outgoing of this.inFlight) late(outgoing);
    for (let index = this.head; index < this.waiting.length; index += 1) late(this.waiting[index]!);
    if (this.pending > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }
}

function nameOf({ exchange, routingKey }: Pick<MessageFields, 'exchange' | 'routingKey'>): string {
  return exchange === '' ? `the queue ${routingKey}` : `the exchange ${exchange}`;
}
