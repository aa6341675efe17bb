import type { Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { availabilityOf, type RedisAvailability, type RedisClient } from '@core-infra/redis';
import type { CacheConfig } from '../../cache.config.js';
import { type Debt, Journal } from './journal.js';
import { type LogListener, type LogMessage, LogReader } from './log-reader.js';

const AGAIN_MS = 50;
const LONGEST_MS = 1_000;

export interface LinkOwner {
  onMessage(message: LogMessage, id: number): void;
  onGap(): void;
  onRollback(): void;
  onReady(ready: boolean): void;
  /** Does in Redis what is owed; rejects when it could not. */
  pay(debt: Debt): Promise<void>;
}

/**
 * Whether the shared store may be used: Redis answers, the log has been read to its end, and nothing is owed. Anything else counts as away; so
 * nothing is read from Redis that this process itself has invalidated, and nothing while others' invalidations may go unheard.
 */
export class Link {
  readonly journal: Journal;
  private readonly reader: LogReader;
  private readonly stopped = new AbortController();
  private readonly availability: RedisAvailability;
  private readonly stopListening: () => void;
  /** Of commands that have no answer yet. */
  private readonly underWay = new Set<(error: unknown) => void>();
  private paying: Promise<void> | undefined;
  private ready = false;
  private readonly waiting: (() => void)[] = [];
  /** Why the last debt could not be paid though Redis answers. */
  private trouble: string | undefined;

  constructor(
    client: RedisClient,
    logKey: string,
    private readonly config: CacheConfig,
    private readonly owner: LinkOwner,
    private readonly logger: Logger,
  ) {
    const { commandTimeoutMs, journalLength } = config.redis;
    this.journal = new Journal(journalLength);
    const listener: LogListener = {
      onMessage: (message, id) => owner.onMessage(message, id),
      onGap: () => owner.onGap(),
      onRollback: () => owner.onRollback(),
      onSynced: () => this.look(),
    };
    this.reader = new LogReader(client, logKey, Math.max(500, commandTimeoutMs), listener, logger);
    this.availability = availabilityOf(client);
    this.stopListening = this.availability.onChange(available => {
      if (!available) this.letGo();
      this.look();
    });
  }

  get isReady(): boolean {
    return this.ready && this.availability.isAvailable;
  }

  /** Why the shared store is not used; `undefined` when it is. */
  get reason(): string | undefined {
    if (this.isReady) return undefined;
    if (!this.availability.isAvailable) return 'Redis is away';
    if (!this.reader.isSynced) return 'the log of invalidations is not read';
    return `${this.journal.size} invalidations have still to be made up for${this.trouble ? `: ${this.trouble}` : ''}`;
  }

  start(): void {
    this.reader.start();
  }

  run<T>(command: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.underWay.add(reject);
      this.availability.run(command, this.config.redis.commandTimeoutMs).then(
        value => {
          this.underWay.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          this.underWay.delete(reject);
          reject(error as Error);
        },
      );
    });
  }

  async whenReady(signal: AbortSignal): Promise<void> {
    if (this.isReady) return;
    await new Promise<void>((done, fail) => {
      this.waiting.push(done);
      signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
    });
  }

  /** To be called when something was added to the journal. */
  owes(): void {
    this.look();
  }

  async close(): Promise<void> {
    this.stopListening();
    this.stopped.abort();
    await this.reader.close();
    await this.paying;
  }

  /** When one command has shown that Redis is away, nobody waits for the time limit of another. */
  private letGo(): void {
    for (const reject of this.underWay) this.availability.run(() => Promise.resolve()).catch(reject);
    this.underWay.clear();
  }

  private look(): void {
    if (this.stopped.signal.aborted) return;
    const usable = this.reader.isSynced && this.availability.isAvailable;
    if (usable && this.journal.size > 0) {
      this.paying ??= this.payAll().finally(() => {
        this.paying = undefined;
        this.look();
      });
    }
    const ready = usable && this.journal.size === 0;
    if (ready === this.ready) return;
    this.ready = ready;
    if (ready) for (const go of this.waiting.splice(0)) go();
    this.owner.onReady(ready);
  }

  private async payAll(): Promise<void> {
    const { signal } = this.stopped;
    let pauseMs = AGAIN_MS;
    for (let debt = this.journal.next(); debt && !signal.aborted; debt = this.journal.next()) {
      try {
        await this.owner.pay(debt);
        this.journal.done(debt);
        this.trouble = undefined;
        pauseMs = AGAIN_MS;
      } catch (error) {
        // The next change of the availability comes back to it.
        if (!this.availability.isAvailable) return;
        this.trouble = (error as Error).message;
        this.logger.debug(`An invalidation cannot be made up for yet: ${this.trouble}`);
        await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined); // closed: the loop ends
        pauseMs = Math.min(LONGEST_MS, pauseMs * 2);
      }
    }
  }
}
