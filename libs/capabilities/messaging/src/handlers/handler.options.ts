export interface RetryOptions {
  /** How often a message is tried in all. @default `messaging.retry.attempts` */
  readonly attempts?: number;
  /** @default `messaging.retry.maxAgeMs` */
  readonly maxAgeMs?: number;
  /** @default `messaging.retry.firstDelayMs` */
  readonly firstDelayMs?: number;
  /** @default `messaging.retry.factor` */
  readonly factor?: number;
  /** @default `messaging.retry.maxDelayMs` */
  readonly maxDelayMs?: number;
  /**
   * Whether another attempt may help after this error; `undefined` leaves it to what the error says of itself.
   * @default errors that say `retryable: false` and are the caller's fault are not tried again, all others are
   */
  readonly retryable?: (error: unknown) => boolean | undefined;
}

export interface BatchOptions {
  /** At most so many events at once. @default 100 */
  readonly size?: number;
  /** How long a batch that is not full waits for more, in milliseconds. @default 10 */
  readonly waitMs?: number;
}

/** How a handler is fed. What is left out comes from the section `messaging`. */
export interface HandlerOptions {
  /** Who it handles events for: each group gets every event once. @default by configuration, in the end the app's name */
  readonly group?: string;
  /** Name of the bus that it gets its events from: that of `MessagingModule.forRoot({ name })`. @default 'default' */
  readonly bus?: string;
  /** How many of its events are handled at once in a process, or how many batches, as long as none hangs. @default `messaging.consumers.concurrency` */
  readonly concurrency?: number;
  /**
   * How many more may be begun while others hang, for keys that have not failed: one for each attempt that takes four times as long as nine of ten
   * do, and 25 ms at least. So there are never more than `concurrency` and `overflow` together; 0 keeps `concurrency` as it is.
   * @default `messaging.consumers.overflow`; 0 where the handler's `concurrency` is 1
   */
  readonly overflow?: number;
  /** The handler gets lists of events. @default one at a time */
  readonly batch?: boolean | BatchOptions;
  readonly retry?: RetryOptions;
  /** Whether a key that fails waits with all its later events (`ordered`), or they may overtake it. @default `messaging.retry.mode` */
  readonly ordered?: boolean;
  /** How long one attempt may take, in milliseconds; a handler that does not heed its signal goes on beyond it, and is not counted any more. @default `messaging.consumers.timeoutMs` */
  readonly timeoutMs?: number;
  /** Whether events that this group has handled are skipped, where there is an inbox. @default true */
  readonly idempotent?: boolean;
}

/** What the decorators leave for the strategy. */
export interface HandlerExtras extends HandlerOptions {
  readonly queue?: boolean;
  readonly definition?: unknown;
}
