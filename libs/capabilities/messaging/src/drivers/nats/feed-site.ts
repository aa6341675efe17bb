import type { Clock } from '@core-infra/kernel';
import type { NatsClient } from '@core-infra/nats';
import type { Answers } from './answers.js';
import type { Feed } from './feed.js';

/** What a feed needs of the member it belongs to. */
export interface FeedSite {
  readonly client: NatsClient;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly answers: Answers;
  /** How many messages may be fetched ahead of those handed over, of this feed. */
  credit(): number;
  /** The same in bytes. */
  maxBytes(): number;
  /** What a message of the largest size comes to, in bytes. */
  largest(): number;
  /** There is something to hand over. */
  filled(): void;
  /** The server takes another for the one who has this. */
  doubted(feed: Feed): void;
  /** Somebody has deleted its consumer, or the stream. */
  gone(feed: Feed): void;
  troubled(error: Error): void;
}
