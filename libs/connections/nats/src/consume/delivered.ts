import type { JsMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';

/** What became of a settlement: `sent`; `lost`, as the connection is closed and the message is delivered again; `repeated`, as it had been settled before. */
export type NatsSettlement = 'sent' | 'lost' | 'repeated';

/** A message of a stream, to be settled once: by `ack`, `nak` or `term`. */
export class NatsMessage {
  #settled = false;

  /** @internal */
  constructor(
    /** As the client library gives it. */
    readonly raw: JsMsg,
    private readonly isOpen: () => boolean,
    private readonly onSettled: (message: NatsMessage) => void,
  ) {}

  get subject(): string {
    return this.raw.subject;
  }

  get data(): Uint8Array {
    return this.raw.data;
  }

  get headers(): MsgHdrs | undefined {
    return this.raw.headers;
  }

  /** Its number in the stream. */
  get streamSequence(): number {
    return this.raw.info.streamSequence;
  }

  /** How often it has been delivered, this time included: 1 the first time. */
  get deliveryCount(): number {
    return this.raw.info.deliveryCount;
  }

  /** When the stream got it. */
  get publishedAt(): Date {
    return this.raw.time;
  }

  text(): string {
    return this.raw.string();
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  /** It is done with. Also good after a reconnection; given while the server is away, it is sent when it is back. */
  ack(): NatsSettlement {
    return this.settle(() => this.raw.ack());
  }

  /**
   * {@link ack}, and resolves when the server knows: with `false` when it did not say so in time.
   * @param timeoutMs in milliseconds. @default 5_000
   */
  async ackConfirmed(timeoutMs = 5_000): Promise<boolean> {
    let confirmed: Promise<boolean> | undefined;
    const outcome = this.settle(() => {
      confirmed = this.raw.ackAck({ timeout: timeoutMs }).catch(() => false);
    });
    return outcome === 'sent' && (await confirmed) === true;
  }

  /** It is delivered again. @param delayMs not before so many milliseconds. @default 0 */
  nak(delayMs = 0): NatsSettlement {
    return this.settle(() => this.raw.nak(delayMs));
  }

  /** It is never delivered again. */
  term(reason?: string): NatsSettlement {
    return this.settle(() => this.raw.term(reason));
  }

  /** It is still worked on: the time after which it is delivered again begins anew. */
  working(): void {
    if (!this.#settled && this.isOpen()) this.raw.working();
  }

  private settle(tell: () => void): NatsSettlement {
    if (this.#settled) return 'repeated';
    this.#settled = true;
    try {
      if (!this.isOpen()) return 'lost';
      tell();
      return 'sent';
    } catch {
      // The connection was closed between the two lines.
      return 'lost';
    } finally {
      this.onSettled(this);
    }
  }
}
