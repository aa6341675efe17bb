import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
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
const HEARTBEAT_MS = 2_000;
/** How many of those may be missed. */
const MISSED = 2;
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
  private timer?: NodeJS.Timeout;
  /** Why it does not consume, once told. */
  private told?: string;
  private readonly leave: () => void;

  constructor(
    private readonly link: Link,
    readonly stream: string,
    readonly name: string,
    private readonly options: NatsConsumeOptions,
    private readonly handler: NatsMessageHandler,
    private readonly ended: (consumer: Consumer) => void,
    /** Resolves when what went with the server is declared again. */
    private readonly declared: () => Promise<void>,
  ) {
    this.leave = link.onChange(isUp => {
      if (isUp) this.openAnew();
    });
  }

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
      this.working ??= setInterval(() => {
        for (const message of this.unsettled) message.working();
      }, workingEveryMs).unref();
  }

  async pause(): Promise<void> {
    if (!this.wanted) return;
    this.wanted = false;
    clearTimeout(this.timer);
    await this.stop();
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
    this.leave();
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
      abort_on_missing_resource: true,
    });
    if (!this.wanted) return void (await messages.close());
    this.messages = messages;
    this.told = undefined;
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
    } catch {
      // Something is gone; opening it anew tells what.
    }
    // The library's own queue, which its iterator leaves when it is closed: else these wait for their time to be over.
    for (const raw of (messages as unknown as { yields?: (JsMsg | (() => void))[] }).yields ?? [])
      if (typeof raw !== 'function' && !this.link.isClosed) raw.nak();
    if (isOurs()) this.again(0);
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
    for await (const { type, ...notification } of messages.status()) {
      if (type === 'exceeded_limits') this.warn((notification as { description: string }).description);
      // The server does not say that it is there: its consumer may be somewhere else, or have no request of ours any more.
      else if (type === 'heartbeats_missed' && (notification as { count: number }).count >= MISSED) {
        if (this.messages === messages) this.openAnew();
      }
    }
  }

  private async stop(): Promise<void> {
    const { messages } = this;
    this.messages = undefined;
    this.freed?.();
    await messages?.close().catch(() => undefined);
    await this.loop;
  }

  private openAnew(): void {
    if (!this.wanted || this.over) return;
    void this.stop();
    this.again(0);
  }

  private again(delayMs: number): void {
    this.messages = undefined;
    clearTimeout(this.timer);
    if (!this.wanted || this.over || this.link.isClosed) return;
    this.timer = setTimeout(() => {
      this.tryAgain().catch((error: unknown) => {
        this.failed(error as Error);
        this.again(RETRY_MS);
      });
    }, delayMs).unref();
  }

  private async tryAgain(): Promise<void> {
    await this.declared();
    // With the next connection, where there is none now.
    if (this.wanted && !this.over && !this.isActive && this.link.isUp) await this.open();
  }

  private failed(error: Error): void {
    if (this.wanted && this.link.isUp) this.warn(error.message);
  }

  private warn(reason: string): void {
    if (this.told === reason) return;
    this.told = reason;
    const { at } = this.link;
    at.logger.warn({ msg: `${at.id} does not consume from ${this.stream}/${this.name}: ${reason}`, connection: at.id });
  }
}
