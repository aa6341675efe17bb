import type { NatsClient } from '@core-infra/nats';
import type { Partition, ReceivedMessage } from '../../driver/message.js';
import { Barrier } from './barrier.js';
import { deliveryOf, isDelivery } from './delivery.js';
import type { FeedSite } from './feed-site.js';
import { type Delivered, type Held, heldOf, messageOf, type RawMessage as Message } from './held.js';
import { PIN_GROUP, type Source } from './names.js';
import { headersOf, type RawHeaders } from './raw-headers.js';
import { Settled } from './settled.js';
import { Waiting } from './waiting.js';

type Connection = NatsClient['connection'];

/** A retry that is due later than this is left to the server until then, in milliseconds. */
const SOON_MS = 500;

/**
 * Takes the messages of one consumer, by requests of its own: one who has a partition keeps asking, so that the server stays with it, and asks for no more
 * than fits.
 */
export class Feed {
  /** Delivered and not yet handed over. */
  private readonly waiting = new Waiting();
  /** The next message is larger than what was asked for. */
  private isLarge = false;
  private readonly known = new Map<number, Held>();
  private subscription?: { unsubscribe(): void };
  private connection?: Connection;
  private inbox = '';
  private requests = 0;
  private outstanding = 0;
  private askedAt = -Infinity;
  private pin = '';
  private isClosed = false;
  private readonly barrier: Barrier;
  private isDoubted = false;
  paused = false;
  /** Being given up. */
  leaving?: Promise<void>;

  constructor(
    private readonly site: FeedSite,
    readonly ref: Partition,
    readonly source: Source,
    /** What is written of its owner; nothing of one that all members share. */
    readonly revision: number | undefined,
    private readonly isPinned: boolean,
    /** Of the same member, when it had this before and nobody else since. */
    readonly settled = new Settled(),
  ) {
    this.barrier = new Barrier({
      client: site.client,
      clock: site.clock,
      source,
      known: this.known,
      isWanted: () => this.isOpen && !this.leaving,
      fetch: missing => this.fetchBack(missing),
      opened: () => {
        this.waiting.sort();
        site.filled();
        this.ask();
      },
    });
  }

  get isShared(): boolean {
    return this.revision === undefined;
  }

  get isOpen(): boolean {
    return this.subscription !== undefined && !this.isClosed;
  }

  /** @param pullAfterMs how long what others may have in hand takes to come back */
  open(pullAfterMs: number): void {
    if (this.isClosed) return;
    this.listen();
    if (!this.isShared) this.barrier.close(pullAfterMs);
    this.tick();
  }

  /** The connection was lost: what was asked for does not come any more, and what was under way may be lost until the server delivers it again. */
  reconnected(): void {
    if (!this.isOpen) return;
    this.listen();
    this.outstanding = 0;
    this.askedAt = -Infinity;
    if (!this.isShared) this.barrier.close(this.site.timeoutMs);
    this.tick();
  }

  /** Nobody else has it. */
  trust(): void {
    this.isDoubted = false;
    this.ask();
  }

  /** To be called from time to time. */
  tick(): void {
    if (!this.isOpen || !this.site.client.isConnected) return;
    const now = this.site.clock.monotonic();
    for (const held of this.known.values()) {
      if (now - held.touchedAt < this.site.timeoutMs / 3) continue;
      held.touchedAt = now;
      this.tell(held.reply, '+WPI');
    }
    this.ask();
  }

  /** At most so many of what waits, in order. */
  take(most: number, maxBytes: number): ReceivedMessage[] {
    if (this.barrier.isShut || this.leaving || this.isClosed) return [];
    const taken = this.waiting.take(most, maxBytes);
    if (taken.length > 0) this.ask();
    return taken;
  }

  settle(held: Held): void {
    if (this.isClosed) return;
    this.forget(held);
    this.remember(held.sequence, held.time);
    this.site.answers.settle(held.reply);
  }

  /** Was settled: the server is told so, should it deliver it again. */
  remember(sequence: number, time: number): void {
    this.settled.add(sequence, time);
  }

  /** Takes no more, and gives back what was not settled, in order. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.site.answers.flush();
    try {
      this.subscription?.unsubscribe();
      for (const { reply } of [...this.known.values()].sort((a, b) => a.sequence - b.sequence))
        this.tell(reply, '-NAK');
    } catch {
      // The connection is closed: they come back after their time.
    }
    this.known.clear();
    this.waiting.clear();
  }

  private listen(): void {
    const { connection } = this.site.client;
    if (this.connection === connection) return;
    this.connection = connection;
    const { inboxPrefix = '_INBOX' } = (connection as { options?: { inboxPrefix?: string } }).options ?? {};
    this.inbox = `${inboxPrefix}.${crypto.randomUUID().replaceAll('-', '')}`;
    this.subscription = connection.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        if (error) this.site.troubled(error);
        else this.receive(message);
      },
    });
  }

  private receive(message: Message): void {
    if (this.isClosed) return;
    const { reply } = message;
    const headers = headersOf(message);
    // Strangers may give a message the look of a status.
    if (headers && headers.code >= 100 && !isDelivery(reply))
      return this.hearStatus(headers.code, headers.description, headers);
    if (reply === undefined) return;
    this.outstanding = Math.max(0, this.outstanding - 1);
    const wasPinned = this.pin !== '';
    if (this.isPinned) this.pin = headers?.get('Nats-Pin-Id') || this.pin;
    const { sequence, time } = deliveryOf(reply);
    const again = this.known.get(sequence);
    const now = this.site.clock.monotonic();
    const isNew = again?.time !== time && !this.settled.has(sequence, time);
    if (isNew) this.add(message, { headers, reply, sequence, time, now });
    else if (again?.time === time) Object.assign(again, { reply, touchedAt: now });
    else this.tell(reply, '+ACK');
    // What waits instead of being outstanding makes no room.
    if (!isNew || this.outstanding === 0 || (this.pin !== '' && !wasPinned)) this.ask();
  }

  private add(raw: Message, delivered: Delivered): void {
    const { reply, sequence } = delivered;
    const message = messageOf(this, raw, delivered);
    const early = (message.notBefore ?? 0) - this.site.clock.now();
    if (early > SOON_MS) return this.tell(reply, `-NAK ${JSON.stringify({ delay: Math.round(early * 1e6) })}`);
    this.known.set(sequence, heldOf(message));
    this.waiting.add(message);
    this.isLarge = false;
    if (!this.barrier.isShut) this.site.filled();
  }

  private hearStatus(code: number, description: string, headers: RawHeaders): void {
    if (code === 100) return;
    const rest = Number(headers.get('Nats-Pending-Messages') || this.outstanding);
    this.outstanding = Math.max(0, this.outstanding - rest);
    if (code === 423) {
      this.pin = '';
      if (!this.isDoubted) this.site.doubted(this);
      this.isDoubted = true;
      return;
    }
    if (code === 409 && /deleted|push based/i.test(description)) {
      this.site.gone(this);
      return;
    }
    if (code === 400 || code === 503) {
      // Asked again with the next tick.
      this.askedAt = this.site.clock.monotonic();
      if (code === 400) this.site.troubled(new Error(`The server refuses a request for messages: ${description}`));
      return;
    }
    if (code === 409 && /exceeds/i.test(description)) {
      // What waits is handed over first.
      if (this.waiting.length > 0) return;
      this.isLarge = true;
    }
    if (!this.paused && !this.barrier.isShut) this.ask();
  }

  /** Asks for more, or at least so that the server knows that somebody has the partition. */
  private ask(): void {
    const { client, clock, timeoutMs } = this.site;
    if (!this.isOpen || this.leaving || this.isDoubted || !client.isConnected) return;
    const now = clock.monotonic();
    const expiresMs = Math.round(timeoutMs / 3);
    // Its end was not told.
    if (now - this.askedAt > expiresMs + timeoutMs / 4) this.outstanding = 0;
    if (this.barrier.isShut) return;
    const credit = this.site.credit();
    const room = credit - this.waiting.length - this.outstanding;
    const bytes = this.isLarge ? this.site.largest() : this.site.maxBytes() - this.waiting.bytes;
    // Who has no pin yet is served by one request alone.
    const mayAsk = !this.isPinned || this.pin !== '' || this.outstanding === 0;
    if (!this.paused && mayAsk && room > 0 && bytes > 0 && (this.outstanding === 0 || room >= credit / 2)) {
      this.request({ batch: this.isLarge ? 1 : room, expires: expiresMs * 1e6, max_bytes: bytes }, now);
    } else if (this.isPinned && this.pin !== '' && now - this.askedAt > timeoutMs / 4)
      // No message is as small as that.
      this.request({ batch: 1, no_wait: true, max_bytes: 1 }, now);
  }

  private request(
    options: { batch: number; expires?: number; max_bytes?: number; no_wait?: boolean },
    now: number,
  ): void {
    this.askedAt = now;
    this.outstanding += options.batch;
    const { stream, consumer } = this.source;
    const whole = { ...options, ...(this.isPinned && { group: PIN_GROUP, ...(this.pin !== '' && { id: this.pin }) }) };
    this.site.client.connection.publish(
      `${this.site.client.jetstream.apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
      JSON.stringify(whole),
      { reply: `${this.inbox}.${(this.requests += 1)}` },
    );
  }

  /** What was given back comes first; not much more than that is asked for. */
  private fetchBack(missing: number): void {
    const { clock, timeoutMs } = this.site;
    const now = clock.monotonic();
    if (now - this.askedAt > timeoutMs / 2) this.outstanding = 0;
    if (this.outstanding > 0 || this.isClosed) return;
    const isFull = this.waiting.length > this.site.credit() * 2;
    const bytes = this.site.maxBytes() + this.site.largest();
    if (!isFull || now - this.askedAt > timeoutMs)
      this.request({ batch: missing, expires: Math.round(timeoutMs / 3) * 1e6, max_bytes: bytes }, now);
  }

  private forget(held: Held): void {
    if (this.known.get(held.sequence) === held) this.known.delete(held.sequence);
  }

  private tell(reply: string, what: string): void {
    this.site.client.connection.publish(reply, what);
  }
}
