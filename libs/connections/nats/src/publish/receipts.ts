import { type ApiError, JetStreamApiError, JetStreamError, type PubAck } from '@nats-io/jetstream';
import { createInbox, errors, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';

/** Why there is no answer. Who has asked makes an error of it that says more. */
export const LOST = new Error('the connection was lost before the answer');
export const LATE = new Error('no stream has answered in time');

/** A message on its way to a stream. */
export interface Sent {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
  readonly signal?: AbortSignal;
}

interface Waiting extends Sent {
  readonly token: string;
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (ack: PubAck) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Publishes, and tells of each message what its stream answers. All have one subscription, one timer, and one listener for each signal: requests of the
 * client library have a timer and two stack traces each, which cost more than the message does.
 */
export class Receipts {
  private readonly waiting = new Map<string, Waiting>();
  private readonly signals = new Map<AbortSignal, { messages: number; readonly stop: () => void }>();
  private connection?: NatsConnection;
  private inbox = '';
  private count = 0;
  private timer?: NodeJS.Timeout;
  private firesAt = Infinity;

  constructor(private readonly inboxPrefix: string) {}

  /** @throws {@link LOST}, {@link LATE}, the signal's reason, or what the stream or the server has said */
  publish(connection: NatsConnection, sent: Sent, deadline: number): Promise<PubAck> {
    return new Promise((resolve, reject) => {
      this.listen(connection);
      const { subject, data, headers, signal } = sent;
      const token = (this.count += 1).toString(36);
      connection.publish(subject, data, { headers, reply: this.inbox + token });
      this.waiting.set(token, { ...sent, token, deadline, resolve, reject });
      if (signal) this.watch(signal);
      this.arm(deadline);
    });
  }

  /** No answer comes any more to what was sent before. */
  lost(): void {
    this.rejectAll(LOST);
  }

  /** The server has not let a message pass, and says no more of it than its subject. */
  refused(subject: string, error: Error): void {
    for (const waiting of this.waiting.values())
      if (waiting.subject === subject) {
        this.forget(waiting);
        return waiting.reject(error);
      }
  }

  private listen(connection: NatsConnection): void {
    if (this.connection === connection) return;
    this.inbox = `${createInbox(this.inboxPrefix)}.`;
    connection.subscribe(`${this.inbox}*`, {
      callback: (error, message) => {
        if (!error) return this.hear(message);
        // The subscription has ended.
        this.connection = undefined;
        this.rejectAll(error);
      },
    });
    this.connection = connection;
  }

  private hear(message: Msg): void {
    const waiting = this.waiting.get(message.subject.slice(this.inbox.length));
    if (!waiting) return;
    this.forget(waiting);
    try {
      waiting.resolve(ackOf(message, waiting.subject));
    } catch (error) {
      waiting.reject(error as Error);
    }
  }

  private forget({ token, signal }: Waiting): void {
    this.waiting.delete(token);
    const watched = signal && this.signals.get(signal);
    if (watched && (watched.messages -= 1) === 0) watched.stop();
  }

  private rejectAll(error: Error): void {
    clearTimeout(this.timer);
    this.firesAt = Infinity;
    for (const waiting of this.waiting.values()) {
      this.forget(waiting);
      waiting.reject(error);
    }
  }

  private watch(signal: AbortSignal): void {
    const watched = this.signals.get(signal);
    if (watched) {
      watched.messages += 1;
      return;
    }
    const abort = (): void => {
      for (const waiting of this.waiting.values())
        if (waiting.signal === signal) {
          this.forget(waiting);
          waiting.reject(signal.reason as Error);
        }
    };
    signal.addEventListener('abort', abort);
    const stop = (): void => {
      signal.removeEventListener('abort', abort);
      this.signals.delete(signal);
    };
    this.signals.set(signal, { messages: 1, stop });
  }

  private arm(deadline: number): void {
    if (deadline >= this.firesAt) return;
    clearTimeout(this.timer);
    this.firesAt = deadline;
    this.timer = setTimeout(() => this.sweep(), Math.max(1, deadline - performance.now())).unref();
  }

  private sweep(): void {
    const now = performance.now();
    let next = Infinity;
    for (const waiting of this.waiting.values())
      if (waiting.deadline > now) next = Math.min(next, waiting.deadline);
      else {
        this.forget(waiting);
        waiting.reject(LATE);
      }
    this.firesAt = Infinity;
    this.arm(next);
  }
}

/** @throws what is wrong with it */
function ackOf(message: Msg, subject: string): PubAck {
  if (message.data.length === 0 && message.headers?.code === 503) throw new errors.NoRespondersError(subject);
  const { error, ...ack } = message.json<PubAck & { error?: ApiError }>();
  if (error) throw new JetStreamApiError(error);
  if (!ack.stream) throw new JetStreamError('invalid ack response');
  ack.duplicate ??= false;
  return ack;
}
