import type { Listening, RedisLink } from './redis.link.js';

export interface RedisWatchOptions {
  readonly channel: string;
  /** Between two looks at what was not announced, in milliseconds. */
  readonly pollMs: number;
  /** Looks at what Redis holds, and never rejects. @returns the revision of what is there */
  readonly sync: () => Promise<string>;
}

/**
 * Looks at Redis whenever a change is announced, whenever announcements or Redis itself come back, and every `pollMs` in any case: an
 * announcement may be lost without a trace.
 */
export class RedisWatch {
  private listening: Listening | undefined;
  private unsubscribe: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private again = false;
  /** The revision that was announced last. */
  private announced: string | undefined;
  /** The revision up to which all is well: announced, or found when the connection was made. */
  private settled: string | undefined;
  /** A revision that a look without an announcement has found. */
  private unannounced: string | undefined;

  constructor(
    private readonly redis: RedisLink,
    private readonly options: RedisWatchOptions,
  ) {}

  start(): void {
    if (this.listening) return;
    const onMessage = (revision: string) => {
      this.announced = revision;
      this.look();
    };
    this.listening = this.redis.listen(this.options.channel, onMessage, () => this.look());
    this.unsubscribe = this.redis.onChange(available => available && this.look());
    this.pollLater();
    this.look();
  }

  async stop(): Promise<void> {
    const { listening } = this;
    this.listening = undefined;
    clearTimeout(this.timer);
    this.unsubscribe?.();
    await this.looking;
    await listening?.end();
  }

  /** One look at a time; what is announced meanwhile is looked at afterwards. */
  private look(): void {
    this.again = true;
    this.looking ??= this.lookWhileAsked().finally(() => (this.looking = undefined));
  }

  private async lookWhileAsked(): Promise<void> {
    while (this.again && this.listening) {
      this.again = false;
      if (this.redis.isAvailable) this.settled = await this.options.sync();
    }
  }

  private pollLater(): void {
    this.timer = setTimeout(() => void this.poll(), this.options.pollMs).unref();
  }

  private async poll(): Promise<void> {
    await this.looking;
    if (this.redis.isAvailable) this.compare(await this.options.sync());
    if (this.listening) this.pollLater();
  }

  /** A change that is still not announced a whole interval after it was found: the connection that should have told of it is dead. */
  private compare(revision: string): void {
    if (revision === this.settled || revision === this.announced) {
      this.unannounced = undefined;
    } else if (revision === this.unannounced) {
      this.settled = revision;
      this.listening?.reconnect();
    } else {
      this.unannounced = revision;
    }
  }
}
