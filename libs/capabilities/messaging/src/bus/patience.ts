import { PublishTimeoutError } from '../errors.js';
import type { PublishOptions } from './event-bus.js';

/** The longest time that timers take. */
const longestMs = 2_147_483_647;

/** More listeners than that on one signal would take longer to add than a signal takes to make. */
const mostCalls = 100;

type Reject = (reason: unknown) => void;
type Call<T> = (giveUp: AbortSignal) => Promise<T>;

/** How long publishing is waited for: till its time is over, or its caller gives up. */
export class Patience {
  private shared: GiveUp | undefined;

  constructor(private readonly defaultMs: number) {}

  /** Rejects by then, whatever the broker does. */
  async withBroker<T>({ signal, timeoutMs = this.defaultMs }: PublishOptions, call: Call<T>): Promise<T> {
    const limitMs = limitOf(timeoutMs);
    const giveUp = signal ? new GiveUp(limitMs, 'broker') : this.giveUpOfThisTurn(limitMs);
    const unfollow = signal && giveUp.follow(signal);
    let waiting: Reject | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        giveUp.add((waiting = reject));
        call(giveUp.signal).then(resolve, reject);
      });
    } finally {
      giveUp.remove(waiting!);
      unfollow?.();
    }
  }

  /** Waits for what the outbox says: it heeds the signal, and knows what has become of the row. */
  async withOutbox({ signal, timeoutMs = this.defaultMs }: PublishOptions, call: Call<void>): Promise<void> {
    const giveUp = new GiveUp(limitOf(timeoutMs), 'outbox');
    const unfollow = signal && giveUp.follow(signal);
    try {
      await call(giveUp.signal);
    } finally {
      giveUp.stop();
      unfollow?.();
    }
  }

  /**
   * Events that are published one by one, but together, share a signal, which takes longer to make than all the rest: timers that are set in one turn of
   * the event loop are due at once as well.
   */
  private giveUpOfThisTurn(limitMs: number): GiveUp {
    if (this.shared?.takes(limitMs)) return this.shared;
    if (!this.shared) setImmediate(() => (this.shared = undefined));
    return (this.shared = new GiveUp(limitMs, 'broker'));
  }
}

/** A signal that aborts after some time, and those who wait for it. */
class GiveUp {
  private readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  private readonly timer: NodeJS.Timeout;
  private readonly waiting = new Set<Reject>();
  private calls = 0;

  constructor(
    private readonly limitMs: number,
    to: 'broker' | 'outbox',
  ) {
    this.timer = setTimeout(() => this.abort(new PublishTimeoutError(limitMs, to)), limitMs);
  }

  add(reject: Reject): void {
    this.calls += 1;
    this.waiting.add(reject);
  }

  /** One does not wait any more. */
  remove(reject: Reject): void {
    this.waiting.delete(reject);
    if (this.waiting.size === 0) this.stop();
  }

  /** Whether another call may wait with those that do. */
  takes(limitMs: number): boolean {
    return this.limitMs === limitMs && this.waiting.size > 0 && this.calls < mostCalls;
  }

  /** Aborts with another signal. @returns no more */
  follow(signal: AbortSignal): () => void {
    const abort = (): void => this.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private abort(reason: unknown): void {
    for (const reject of this.waiting) reject(reason);
    this.controller.abort(reason);
  }
}

function limitOf(timeoutMs: number): number {
  const limitMs = Math.min(timeoutMs, longestMs);
  if (!(limitMs > 0)) throw new TypeError('publish: timeoutMs must be a number above 0.');
  return limitMs;
}
