import type { ConsumerMessages, ConsumerNotification, JsMsg } from '@nats-io/jetstream';
import { diagnoseMissing } from '../link/diagnose.js';
import type { Link } from '../link/link.js';
import { NatsMessage } from './delivered.js';

export interface NatsConsumeOptions {
  /** How many messages may be with the handler, unsettled, at once; as many more are fetched ahead. @default 100 */
  readonly maxInFlight?: number;
  /** Keeps telling the server that a message is worked on for as long as it is with the handler, so often, in milliseconds. @default never */
  readonly workingEveryMs?: number;
  /** What becomes of a message whose handler throws before it has settled it: delivered again after so many milliseconds. @default 1_000 */
  readonly retryDelayMs?: number;
}

/** Called for each message, as many at once as `maxInFlight` says. It settles the message, then or later. */
export type NatsMessageHandler = (message: NatsMessage) => unknown;

/** One who takes messages of a durable consumer, over every reconnection until it is cancelled. */
export interface NatsConsumer {
  readonly stream: string;
  readonly name: string;
  /** Whether it fetches messages. */
  readonly isActive: boolean;
  /** How many messages are with the handler and not settled. */
  readonly inFlight: number;
  /** Takes no more; what is with the handler stays there, what was fetched ahead goes back at once. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Takes no more, for good, and resolves when what is with the handler is settled, or the signal aborts. */
  drain(signal?: AbortSignal): Promise<void>;
  /** Takes no more, for good; what is not settled is delivered again after its time. */
  cancel(): Promise<void>;
}

const IN_FLIGHT = 100;
/** How long one request for messages stays open, and how often the server says meanwhile that it is there, in milliseconds. */
const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 5_000;
const RETRY_MS = 1_000;

export class Consumer implements NatsConsumer {
  private messages?: ConsumerMessages;
  private wanted = false;
  private over = false;
  private readonly unsettled = new Set<NatsMessage>();
  private readonly idle: (() => void)[] = [];
  private freed?: () => void;
  private loop: Promise<void> = Promise.resolve();
  private working?: NodeJS.Timeout;
  private told = '';

  constructor(
    private readonly link: Link,
    readonly stream: string,
    readonly name: string,
    private readonly options: NatsConsumeOptions,
    private readonly handler: NatsMessageHandler,
    private readonly ended: (consumer: Consumer) => void,
  ) {}

  get isActive(): boolean {
    return this.messages !== undefined;
  }

  get inFlight(): number {
    return this.unsettled.size;
  }

  /** @throws NatsMissingError without the stream or the consumer */
  async resume(): Promise<void> {
    if (this.over || this.wanted) return;
    this.wanted = true;
    try {
      await this.open();
    } catch (error) {
      this.wanted = false;
      throw error;
    }
    const { workingEveryMs } = this.options;
    if (workingEveryMs)
      this.working = setInterval(() => {
        for (const message of this.unsettled) message.working();
      }, workingEveryMs).unref();
  }

  async pause(): Promise<void> {
    if (!this.wanted) return;
    this.wanted = false;
    const { messages } = this;
    this.messages = undefined;
    this.freed?.();
    await messages?.close().catch(() => undefined);
    await this.loop;
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
    await this.pause();
    this.over = true;
    clearInterval(this.working);
    this.ended(this);
  }

  private async open(): Promise<void> {
    const { maxInFlight = IN_FLIGHT } = this.options;
    const explain = (error: unknown): unknown => diagnoseMissing(error, this.stream, this.name);
    const consumer = await this.link.ask(
      `find the consumer ${this.stream}/${this.name}`,
      () => this.link.jetstream.consumers.get(this.stream, this.name),
      explain,
    );
    const messages = await consumer.consume({
      max_messages: maxInFlight,
      expires: EXPIRES_MS,
      idle_heartbeat: HEARTBEAT_MS,
    });
    if (!this.wanted) return void (await messages.close());
    this.messages = messages;
    this.loop = this.take(messages, maxInFlight);
    void this.listen(messages);
  }

  private async take(messages: ConsumerMessages, maxInFlight: number): Promise<void> {
    const isOurs = (): boolean => this.messages === messages;
    try {
      for await (const raw of messages) {
        while (isOurs() && this.unsettled.size >= maxInFlight)
          await new Promise<void>(resolve => {
            this.freed = resolve;
          });
        if (isOurs()) this.deliver(raw);
        else raw.nak();
      }
    } catch (error) {
      this.failed(error as Error);
    }
    // The library's own queue, which its iterator leaves when it is closed: else these wait for their time to be over.
    for (const raw of (messages as unknown as { yields?: (JsMsg | (() => void))[] }).yields ?? [])
      if (typeof raw !== 'function' && !this.link.isClosed) raw.nak();
    if (isOurs()) this.again();
  }

  private deliver(raw: JsMsg): void {
    const message = new NatsMessage(
      raw,
      () => !this.link.isClosed,
      settled => {
        this.unsettled.delete(settled);
        this.freed?.();
        if (this.unsettled.size === 0) for (const tell of this.idle.splice(0)) tell();
      },
    );
    this.unsettled.add(message);
    const fail = (error: unknown): void => {
      const { retryDelayMs = 1_000 } = this.options;
      const becomes = message.isSettled ? 'settled before' : message.nak(retryDelayMs);
      this.link.at.logger.error({
        msg: `The handler of ${this.stream}/${this.name} failed: ${(error as Error).message}`,
        connection: this.link.at.id,
        stream: this.stream,
        consumer: this.name,
        becomes: becomes === 'sent' ? 'delivered again' : becomes,
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

  private async listen(messages: ConsumerMessages): Promise<void> {
    for await (const notification of messages.status()) this.heard(notification);
  }

  /** The library goes on asking; here it is told once. */
  private heard(notification: ConsumerNotification): void {
    const { type } = notification;
    if (type === 'consumer_deleted' || type === 'consumer_not_found' || type === 'stream_not_found') {
      const what = type === 'stream_not_found' ? `stream ${this.stream}` : `consumer ${this.stream}/${this.name}`;
      this.warn(`there is no ${what} any more`);
    } else if (type === 'exceeded_limits') this.warn(notification.description);
    else if (type === 'next') this.told = '';
  }

  private warn(reason: string): void {
    if (this.told === reason) return;
    this.told = reason;
    const { at } = this.link;
    at.logger.warn({ msg: `${at.id} does not consume from ${this.stream}/${this.name}: ${reason}`, connection: at.id });
  }

  private failed(error: Error): void {
    if (this.wanted && !this.link.isClosed) this.warn(error.message);
  }

  /** The library has ended it for good, and we do not. */
  private again(): void {
    this.messages = undefined;
    if (!this.wanted || this.over || this.link.isClosed) return;
    setTimeout(() => {
      if (!this.wanted || this.over || this.isActive) return;
      this.open().catch((error: unknown) => {
        this.failed(error as Error);
        this.again();
      });
    }, RETRY_MS).unref();
  }
}
