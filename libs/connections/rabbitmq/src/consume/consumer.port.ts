import type { RabbitmqMessage } from './delivered.js';

export interface ConsumeOptions {
  /** How many messages may be unsettled at once. @default the connection's prefetch */
  readonly prefetch?: number;
  /** Refuses other consumers of the queue. @default false */
  readonly exclusive?: boolean;
  /** Whom of several the broker serves first; higher first. @default 0 */
  readonly priority?: number;
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** What becomes of a message whose handler throws before it has settled it: back to the queue, or to the dead letters. @default 'requeue' */
  readonly onFailure?: 'requeue' | 'reject';
  /** The name is whole as it is: the configured prefix is not put before it. @default false */
  readonly wholeName?: boolean;
  /** Whoever consumes cancels it at the shutdown: it is neither paused nor waited for then. @default false */
  readonly endsItself?: boolean;
  /** Called when what was delivered and not settled is no longer this consumer's: it is delivered again, to it or to another. */
  readonly onLost?: () => void;
}

/** Called for each message, as many at once as `prefetch` says. It settles the message, then or later. */
export type MessageHandler = (message: RabbitmqMessage) => unknown;

/** One who takes messages from a queue, over every reconnection until it is cancelled. */
export interface RabbitmqConsumer {
  /** With the prefix. */
  readonly queue: string;
  /** Whether the broker delivers to it now. */
  readonly isActive: boolean;
  /** How many messages are delivered and not settled. */
  readonly inFlight: number;
  /**
   * `ack` of many at once, which is much less work for the broker than one by one. Those that are settled or lost are left out.
   * @returns how many it was told of
   */
  ackAll(messages: readonly RabbitmqMessage[]): number;
  /** Takes no more; what was delivered stays with the handler. Resolves when the broker delivers nothing more. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Takes no more, for good, and resolves when what was delivered is settled; what is not when the signal aborts goes back to the queue. */
  drain(signal?: AbortSignal): Promise<void>;
  /** Takes no more, for good; what was delivered and is not settled goes back to the queue. */
  cancel(): Promise<void>;
}
