import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { within } from '../link/deadline.js';
import type { GatheredWrites } from '../link/gathered-writes.js';
import type { Link } from '../link/link.js';
import { RabbitmqMissingError, RabbitmqTimeoutError } from '../errors.js';
import type { ConsumeOptions, MessageHandler, RabbitmqConsumer } from './consumer.port.js';
import { RabbitmqMessage, type Source } from './delivered.js';

/** Longest pause between attempts to consume again, in milliseconds. */
const RETRY_MS = 1_000;

export class Consumer implements RabbitmqConsumer {
  private channel?: Channel;
  private tag?: string;
  private wanted = true;
  private prefetch: number;
  /** That of the subscription. */
  private takenWith = 0;
  /** Pending while the subscription is brought to what is wanted. */
  private adapting: Promise<void> = Promise.resolve();
  private over = false;
  private wake?: () => void;
  private readonly unsettled = new Set<RabbitmqMessage>();
  private readonly idle: (() => void)[] = [];
  private readonly leave: () => void;
  private timer?: NodeJS.Timeout;
  /** Why it does not consume, once told. */
  private told?: string;

  constructor(
    private readonly link: Link,
    private readonly writes: GatheredWrites,
    readonly queue: string,
    private readonly options: ConsumeOptions,
    private readonly handler: MessageHandler,
    private readonly ended: (consumer: Consumer) => void,
  ) {
    this.prefetch = options.prefetch ?? link.config.prefetch;
    this.leave = link.join({
      down: () => this.lost(),
      up: async model => {
        // What is wrong with one queue is no reason to do without the connection.
        if (this.wanted && !this.over) await this.subscribe(model).catch(error => this.failed(error));
      },
    });
  }

  get isActive(): boolean {
    return this.tag !== undefined;
  }

  get inFlight(): number {
    return this.unsettled.size;
  }

  /** The first subscription, whose failure is the caller's. */
  async start(): Promise<void> {
    try {
      if (!this.isActive) await this.subscribe(this.link.current);
    } catch (error) {
      await this.cancel();
      throw this.link.explain(error, `consume from ${this.queue}`);
    }
  }

  ackAll(messages: readonly RabbitmqMessage[]): number {
    // What was lost is not among the unsettled.
    const mine = messages.filter(message => this.unsettled.delete(message));
    for (const message of mine) message.settledWithOthers();
    const { channel } = this;
    if (!channel || mine.length === 0) return 0;
    // In the order of delivery, which tags count: before the first that is unsettled, one word is enough for all.
    const [lowest] = this.unsettled;
    const limit = lowest?.raw.fields.deliveryTag ?? Infinity;
    let last: ConsumeMessage | undefined;
    this.writes.begin();
    try {
      for (const { raw } of mine) {
        const { deliveryTag } = raw.fields;
        if (deliveryTag > limit) channel.ack(raw);
        else if (!last || deliveryTag > last.fields.deliveryTag) last = raw;
      }
      if (last) channel.ack(last, true);
    } catch {
      return 0; // the channel has just gone; the broker delivers them again
    } finally {
      this.tellIdle();
    }
    return mine.length;
  }

  async pause(): Promise<void> {
    this.wanted = false;
    clearTimeout(this.timer);
    this.wake?.();
    await this.adapt();
  }

  async resume(): Promise<void> {
    if (this.over || this.wanted) return;
    this.wanted = true;
    if (!this.link.isUp) return; // with the next connection
    if (this.channel) await this.adapt();
    else await this.subscribe(this.link.current);
  }

  get endsItself(): boolean {
    return this.options.endsItself === true;
  }

  async drain(signal?: AbortSignal): Promise<void> {
    await this.pause();
    if (this.unsettled.size > 0 && !signal?.aborted)
      await new Promise<void>(resolve => {
        this.idle.push(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    await this.cancel();
  }

  async cancel(): Promise<void> {
    if (this.over) return;
    this.over = true;
    this.wanted = false;
    clearTimeout(this.timer);
    this.leave();
    const { channel } = this;
    this.channel = undefined;
    this.tag = undefined;
    this.ended(this);
    // Closed without being cancelled first: the queue would serve its next consumer before it has back what was not settled here.
    if (channel) await this.ask('close a channel', channel.close()).catch(() => undefined);
    this.forget();
  }

  private async subscribe(model: ChannelModel): Promise<void> {
    const channel = await this.ask('open a channel', model.createChannel());
    let failure: Error | undefined;
    channel.on('error', (error: Error) => (failure = error));
    channel.on('close', () => {
      if (this.channel !== channel) return;
      this.lost();
      if (this.link.isUp && this.wanted && !this.over) this.failed(failure ?? new Error('its channel was closed'));
    });
    this.channel = channel;
    await this.adapt();
  }

  /** Brings the subscription to what is wanted, once what is under way has ended. */
  private adapt(): Promise<void> {
    return (this.adapting = this.adapting.catch(() => undefined).then(() => this.step()));
  }

  private async step(): Promise<void> {
    for (let { channel } = this; channel && !this.over; { channel } = this) {
      const { tag } = this;
      if (tag === undefined && this.wanted && this.unsettled.size > 0) await this.settledAll();
      else if (tag === undefined && this.wanted) await this.take(channel);
      else if (tag !== undefined && !(this.wanted && this.takenWith === this.prefetch)) {
        this.tag = undefined;
        await this.ask('cancel a consumer', channel.cancel(tag)).catch(() => undefined); // it went with its channel
      } else return;
    }
  }

  /** Two subscriptions of a channel that both have messages would give them back in no order when it is lost. Ends early with a pause. */
  private settledAll(): Promise<void> {
    return new Promise(resolve => {
      this.idle.push(resolve);
      this.wake = resolve;
    });
  }

  private async take(channel: Channel): Promise<void> {
    const { exclusive, priority, arguments: args } = this.options;
    const { prefetch } = this;
    const source = this.sourceOf(channel);
    await this.ask('set the prefetch', channel.prefetch(prefetch));
    const { consumerTag } = await this.ask(
      `consume from ${this.queue}`,
      channel.consume(this.queue, raw => this.deliver(source, raw), {
        ...(exclusive !== undefined && { exclusive }),
        ...(priority !== undefined && { priority }),
        ...(args && { arguments: args }),
      }),
    );
    if (this.channel !== channel) return;
    this.tag = consumerTag;
    this.takenWith = prefetch;
    this.told = undefined;
  }

  private deliver(source: Source, raw: ConsumeMessage | null): void {
    if (this.over) return; // it goes back with the channel
    if (raw === null) {
      // Cancelled by the broker: the queue is gone, or its leader has moved.
      this.tag = undefined;
      this.options.onLost?.();
      this.failed(new RabbitmqMissingError('queue', this.queue));
      return;
    }
    const message = new RabbitmqMessage(raw, source);
    this.unsettled.add(message);
    const fail = (error: unknown): void => {
      const { onFailure = 'requeue' } = this.options;
      const becomes = message.isSettled ? 'settled before' : message.nack({ requeue: onFailure === 'requeue' });
      this.link.at.logger.error({
        msg: `The handler of ${this.queue} failed: ${(error as Error).message}`,
        connection: this.link.at.id,
        queue: this.queue,
        becomes: becomes === 'done' ? onFailure : becomes,
        err: error,
      });
    };
    try {
      const result = this.handler(message);
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  private sourceOf(channel: Channel): Source {
    const isOpen = (): boolean => this.channel === channel;
    return {
      channel,
      get isOpen() {
        return isOpen();
      },
      telling: () => this.writes.begin(),
      settled: message => {
        this.unsettled.delete(message);
        this.tellIdle();
      },
    };
  }

  private tellIdle(): void {
    if (this.unsettled.size === 0) for (const tell of this.idle.splice(0)) tell();
  }

  private lost(): void {
    const hadChannel = this.channel !== undefined;
    this.channel = undefined;
    this.tag = undefined;
    this.forget();
    if (hadChannel) this.options.onLost?.();
  }

  /** The broker delivers again what was not settled; nothing has to be waited for. */
  private forget(): void {
    this.unsettled.clear();
    this.tellIdle();
  }

  private failed(error: unknown): void {
    if (this.over || !this.wanted) return;
    const { at } = this.link;
    const found = this.link.explain(error, `consume from ${this.queue}`) as Error;
    if (this.told !== found.message)
      at.logger.warn({
        msg: `${at.id} does not consume from ${this.queue}: ${found.message}`,
        connection: at.id,
        queue: this.queue,
      });
    this.told = found.message;
    this.retry();
  }

  private retry(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.link.isUp || !this.wanted || this.over || this.isActive) return;
      const again = this.channel ? this.adapt() : this.subscribe(this.link.current);
      again.catch(() => this.retry());
    }, RETRY_MS).unref();
  }

  private ask<T>(what: string, work: Promise<T>): Promise<T> {
    const { config, at } = this.link;
    return within(config.commandTimeoutMs, work, () => new RabbitmqTimeoutError(at.id, what, config.commandTimeoutMs));
  }
}
