import { randomUUID } from 'node:crypto';
import type { PubAck } from '@nats-io/jetstream';
import { NatsNoStreamError, NatsOversizeError, NatsTimeoutError } from '../errors.js';
import { diagnoseReply } from '../link/diagnose.js';
import type { Link } from '../link/link.js';
import type { NatsOutgoing, NatsPublishOptions } from './outgoing.js';
import { LATE, LOST, Receipts, type Sent } from './receipts.js';
import { WrittenHeaders } from './written-headers.js';

/** How long "no stream" may mean that a stream elects its leader, or that a server reads its streams from disk, in milliseconds. */
const UNKNOWN_STREAM_MS = 1_000;
const KNOWN_STREAM_MS = 10_000;
const ELECTION_PAUSE_MS = 150;
/** How many first words of subjects are remembered that a stream has kept messages of. */
const REMEMBERED = 1_000;

/**
 * Publishes to streams, many at a time. An attempt that is not answered is made again with the same id, which the stream knows: so that trying again
 * makes no second message.
 */
export class Publisher {
  private underWay = 0;
  private readonly queue: (() => void)[] = [];
  private readonly idle: (() => void)[] = [];
  private readonly receipts: Receipts;
  private readonly kept = new Set<string>();
  /** Streams that have taken messages of this connection, or shown that they would, since one was last refused. */
  readonly proven = new Set<string>();

  constructor(private readonly link: Link) {
    this.receipts = new Receipts(link.config.inboxPrefix);
    link.onChange(isUp => {
      if (isUp) return;
      this.proven.clear();
      this.receipts.lost();
    });
    link.onRefused((subject, error) => this.receipts.refused(subject, error));
  }

  get pending(): number {
    return this.underWay + this.queue.length;
  }

  async publish(message: NatsOutgoing, options: NatsPublishOptions = {}): Promise<PubAck> {
    const { config } = this.link;
    const { signal, timeoutMs = config.deliveryTimeoutMs, whileAway = config.whileAway } = options;
    signal?.throwIfAborted();
    if (this.link.isClosed || (whileAway === 'fail' && !this.link.isUp)) throw this.link.unavailable();
    const data = typeof message.data === 'string' ? Buffer.from(message.data) : message.data;
    const headers = new WrittenHeaders(message, message.msgId ?? randomUUID());
    this.assertSize(message.subject, data.length + headers.byteLength);
    const sending: Sending = {
      subject: message.subject,
      data,
      headers,
      deadline: performance.now() + timeoutMs,
      timeoutMs,
      whileAway,
      ...(signal && { signal }),
    };
    if (this.underWay >= config.maxInFlight) await this.turn(sending);
    else this.underWay += 1;
    try {
      return await this.send(sending);
    } finally {
      this.leave();
    }
  }

  /** Resolves when nothing is under way any more. */
  async drained(signal: AbortSignal): Promise<void> {
    if (this.pending === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.idle.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  private async send(sending: Sending): Promise<PubAck> {
    const { signal, deadline, subject } = sending;
    const [word = ''] = subject.split('.', 1);
    let refusedSince: number | undefined;
    for (;;) {
      signal?.throwIfAborted();
      if (!this.link.isUp)
        await this.link.whenUp(Math.max(1, deadline - performance.now()), signal).catch(this.late(sending));
      const now = performance.now();
      if (now >= deadline) throw this.tooLate(sending);
      try {
        const { current, config } = this.link;
        const ack = await this.receipts.publish(current, sending, Math.min(deadline, now + config.commandTimeoutMs));
        if (this.kept.size < REMEMBERED) this.kept.add(word);
        this.proven.add(ack.stream);
        return ack;
      } catch (error) {
        signal?.throwIfAborted();
        if (this.link.isClosed) throw this.link.unavailable(error);
        const wasLost = error === LOST || !this.link.isUp;
        if (wasLost && sending.whileAway === 'fail')
          throw this.link.unavailable(new Error('the message may have been accepted'));
        if (wasLost || error === LATE) continue;
        this.proven.clear();
        const found = diagnoseReply(error, `keep a message of ${subject}`, subject);
        if (!(found instanceof NatsNoStreamError)) throw found;
        refusedSince ??= performance.now();
        const graceMs = this.kept.has(word) ? KNOWN_STREAM_MS : UNKNOWN_STREAM_MS;
        if (performance.now() + ELECTION_PAUSE_MS > Math.min(deadline, refusedSince + graceMs)) throw found;
        await new Promise(resolve => setTimeout(resolve, ELECTION_PAUSE_MS));
      }
    }
  }

  /** Waits for its turn, which comes with what is under way already counted. */
  private turn(sending: Sending): Promise<void> {
    const { signal } = sending;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => leave(this.tooLate(sending)), Math.max(1, sending.deadline - performance.now()));
      const go = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const leave = (error: Error): void => {
        clearTimeout(timer);
        const at = this.queue.indexOf(go);
        if (at >= 0) this.queue.splice(at, 1);
        reject(error);
      };
      const abort = (): void => leave(signal?.reason as Error);
      signal?.addEventListener('abort', abort, { once: true });
      this.queue.push(go);
    });
  }

  private leave(): void {
    const next = this.queue.shift();
    if (next) return next();
    this.underWay -= 1;
    if (this.underWay === 0) for (const tell of this.idle.splice(0)) tell();
  }

  private late(sending: Sending): (error: unknown) => never {
    // Not by the clock: a timer may fire some milliseconds before the time that it was set for.
    return error => {
      if (this.link.isClosed || sending.signal?.aborted) throw error;
      throw this.tooLate(sending);
    };
  }

  private tooLate({ subject, timeoutMs }: Sending): NatsTimeoutError {
    const { at, isUp, reason } = this.link;
    return new NatsTimeoutError(at.id, `acknowledge a message of ${subject}`, timeoutMs, isUp ? '' : reason);
  }

  private assertSize(subject: string, bytes: number): void {
    const { link } = this;
    const { maxPayloadBytes = Infinity } = link.config;
    const allowed = Math.min(maxPayloadBytes, link.isUp ? (link.current.info?.max_payload ?? Infinity) : Infinity);
    if (bytes > allowed) throw new NatsOversizeError(subject, bytes, allowed);
  }
}

/** A message on its way, for as long as it may be. */
interface Sending extends Sent {
  readonly deadline: number;
  readonly timeoutMs: number;
  readonly whileAway: 'wait' | 'fail';
}
