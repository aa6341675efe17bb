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
  /** How many of its events are handled at once in a process, or how many batches. @default `messaging.consumers.concurrency` */
  readonly concurrency?: number;
  /** The handler gets lists of events. @default one at a time */
  readonly batch?: boolean | BatchOptions;
  readonly retry?: RetryOptions;
  /** Whether a key that fails waits with all its later events (`ordered`), or they may overtake it. @default `messaging.retry.mode` */
  readonly ordered?: boolean;
  /** How long one attempt may take, in milliseconds. @default `messaging.consumers.timeoutMs` */
  readonly timeoutMs?: number;
  /** Whether events that this group has handled are skipped, where there is an inbox. @default true */
  readonly idempotent?: boolean;
}

/** What the decorators leave for the strategy. */
export interface HandlerExtras extends HandlerOptions {
  readonly queue?: boolean;
  readonly definition?: unknown;
}
