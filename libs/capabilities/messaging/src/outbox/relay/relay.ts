import { type DataSource, type Listening, listenTo } from '@core-infra/database';
import type { Clock, DriverSite } from '@core-infra/kernel';
import type { MessagingHub } from '../../bus/messaging-hub.js';
import { uuidV7 } from '../../events/event-ids.js';
import type { DeadLetter } from '../../stores/dead-letters.js';
import { BUCKETS } from '../buckets.js';
import { CHANNEL } from '../database.outbox.js';
import type { OutboxConfig } from '../outbox.config.js';
import { lookAhead, holdBuckets, type OutboxRow, promoteDue } from './outbox-rows.js';
import { Peers } from './peers.js';
import { Refusals } from './refusals.js';
import { WakeUp } from './wake-up.js';

/** The group under which events are dead letters that no broker took. */
export const OUTBOX_GROUP = 'outbox';

const everyBucket = Array.from({ length: BUCKETS }, (_, bucket) => bucket);
/** How soon buckets that other relays hold are looked at again, and how soon at the latest, while they stay held. */
const busyPauseMs = 20;
const longestBusyPauseMs = 500;
const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** With NOTIFY, a look now and then is for what could have been missed. */
const idleFactor = 10;
/** How many times as often an event is offered whose refusal is not its own fault: some minutes. */
const patience = 20;
/** The same for one that nobody receives yet: with five attempts, some more than a minute. */
const unheardPatience = 4;

/** Hands what is written in the outbox to the broker, in order per key, and removes it. */
export class Relay {
  private readonly wakeUp = new WakeUp();
  private readonly stopping = new AbortController();
  private readonly refusals: Refusals;
  private listening?: Listening;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private readonly peers: Peers;
  /** Why nothing can be relayed at present. */
  trouble?: string;

  constructor(
    private readonly dataSource: DataSource,
    private readonly hub: MessagingHub,
    private readonly config: OutboxConfig,
    private readonly site: DriverSite,
  ) {
    this.refusals = new Refusals(site.clock);
    this.peers = new Peers(dataSource, site.clock);
  }

  start(): void {
    if (this.config.listen)
      this.listening = listenTo(this.dataSource, CHANNEL, {
        notified: () => this.wake(),
        listening: () => this.wake(),
        lost: error =>
          this.site.logger.debug(`The outbox is not woken at present, and looks by itself: ${error.message}`),
      });
    this.running = this.run();
  }

  wake = (): void => this.wakeUp.now();

  get isListening(): boolean {
    return this.listening?.isListening ?? false;
  }

  /** Ends the batch under way, or leaves it to the next. */
  async stop(signal: AbortSignal): Promise<void> {
    const abort = (): void => this.stopping.abort();
    this.stopped = true;
    this.wakeUp.end();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    await Promise.race([
      this.running,
      new Promise<void>(resolve => {
        this.stopping.signal.addEventListener('abort', () => resolve(), { once: true });
        if (this.stopping.signal.aborted) resolve();
      }),
    ]);
    abort();
    await this.listening?.close();
    // They learn it by themselves in some seconds.
    if (!signal.aborted) await this.peers.leave().catch(() => undefined);
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stopped) {
      try {
        const pause = await this.work();
        failures = 0;
        this.trouble = undefined;
        await this.wakeUp.wait(pause);
      } catch (error) {
        if (this.stopped) return;
        this.complain(error);
        const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** failures++) * (0.5 + Math.random() / 2);
        await this.wakeUp.pause(pause);
      }
    }
  }

  /** Relays until every bucket was seen empty. Resolves with how long nothing needs to be looked at, in milliseconds. */
  private async work(): Promise<number> {
    const { waiting, dueInMs } = await lookAhead(this.dataSource);
    if (dueInMs !== undefined && dueInMs <= 0) await promoteDue(this.dataSource, this.config.batchSize);
    else if (!waiting) return this.idleFor(dueInMs);
    this.wakeUp.heard();
    let unseen = everyBucket;
    let busyMs = busyPauseMs;
    while (unseen.length > 0 && !this.stopped) {
      const emptied = await this.pass(unseen);
      unseen = unseen.filter(bucket => !emptied?.includes(bucket));
      if (emptied) busyMs = busyPauseMs;
      else {
        await this.wakeUp.pause(busyMs * (0.5 + Math.random() / 2));
        busyMs = Math.min(longestBusyPauseMs, busyMs * 2);
      }
    }
    return Math.min(this.idleFor(dueInMs === undefined || dueInMs > 0 ? dueInMs : 0), this.refusals.nextInMs);
  }

  /** One batch. Resolves with the buckets that are empty now; with `undefined` when others hold all of them. */
  private async pass(unseen: readonly number[]): Promise<readonly number[] | undefined> {
    const { batchSize, batchBytes, leaseMs } = this.config;
    const atMost = Math.ceil(BUCKETS / (await this.peers.count()));
    const { clock, logger } = this.site;
    const since = clock.monotonic();
    return holdBuckets(this.dataSource, { buckets: unseen, atMost, leaseMs }, async hold => {
      const batch = await hold.read({ events: batchSize, bytes: batchBytes }, this.refusals.waiting);
      const found = batch.rows;
      if (found.length === 0) return hold.buckets;
      const rows = this.refusals.firstOfKeys(found);
      // Less than the lease is left for the broker: when the server has given the buckets to another, nothing may be published any more. A process
      // that was stopped meanwhile learns it by the clock, before its timer.
      const until = since + leaseMs * 0.8;
      if (clock.monotonic() >= until) throw new Error('The lease was over before the batch could be published.');
      const { signal, release } = withinLease(this.stopping.signal, until, clock);
      const results = await this.hub.driver.publish(rows, signal).finally(release);
      const { done, refused, away } = this.sort(rows, results, signal);
      for (const row of done) this.refusals.forget(row);
      if (done.length > 0) await hold.remove(done);
      const dead = await this.bury(refused);
      if (dead.length > 0) await hold.remove(dead);
      if (clock.monotonic() - since > leaseMs)
        logger.warn(`A batch of the outbox took longer than outbox.leaseMs (${leaseMs} ms)`);
      // What is removed must be committed: letters of events that stayed would be written again.
      if (away !== undefined && done.length + dead.length === 0) throw away;
      // What was refused waits, and is not read again until it is due.
      return !batch.isFull && done.length + dead.length === found.length ? hold.buckets : [];
    });
  }

  /** What became of each: of a key, only the first failure says something, since what is behind it fails with it. */
  private sort(rows: readonly OutboxRow[], results: readonly (Error | undefined)[], signal: AbortSignal): Sorted {
    const done: OutboxRow[] = [];
    const refused: Refused[] = [];
    const failedKeys = new Set<string>();
    let away: Error | undefined;
    for (const [at, row] of rows.entries()) {
      const error = results[at];
      if (!error) {
        done.push(row);
        continue;
      }
      if (row.key !== undefined) {
        if (failedKeys.has(row.key)) continue;
        failedKeys.add(row.key);
      }
      if (signal.aborted || this.site.classify(error).retryable) away ??= error;
      else refused.push({ row, error });
    }
    return { done, refused, away };
  }

  /** The broker does not want these. Resolves with those that are dead letters now. */
  private async bury(refused: readonly Refused[]): Promise<readonly OutboxRow[]> {
    const dead: OutboxRow[] = [];
    for (const { row, error } of refused) {
      const times = this.refusals.note(row);
      if (times < this.config.attempts * this.patienceWith(error)) continue;
      const letter = deadLetterOf(row, error, times, this.site.clock.now());
      try {
        await this.hub.deadLetters.add([letter], this.stopping.signal);
      } catch (failure) {
        this.complain(failure); // it stays where it is, and is offered again
        continue;
      }
      this.refusals.forget(row);
      dead.push(row);
      this.site.logger.error(
        `An event of the topic "${row.topic}" is a dead letter, since the broker does not take it: ${error.message}`,
        { deadLetter: letter.id, event: row.id },
      );
    }
    return dead;
  }

  /** What is wrong with the event stays so; a missing topic or right may be mended meanwhile, and a group may be about to subscribe. */
  private patienceWith(error: Error): number {
    if (this.site.classify(error).fault === 'client') return 1;
    return this.hub.driver.isUnheard?.(error) ? unheardPatience : patience;
  }

  private idleFor(dueInMs: number | undefined): number {
    const { pollMs } = this.config;
    return Math.min(this.isListening ? pollMs * idleFactor : pollMs, dueInMs ?? Infinity);
  }

  private complain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message !== this.trouble)
      this.site.logger.warn(`The outbox cannot be relayed at present, and is tried again: ${message}`);
    this.trouble = message;
  }
}

interface Refused {
  readonly row: OutboxRow;
  readonly error: Error;
}

interface Sorted {
  readonly done: readonly OutboxRow[];
  readonly refused: readonly Refused[];
  readonly away: Error | undefined;
}

/** Aborts with the other signal, or when the time is over. */
function withinLease(
  stopping: AbortSignal,
  until: number,
  clock: Clock,
): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const { signal } = controller;
  const abort = (): void => controller.abort(new Error('The relay may not publish any longer.'));
  const timer = setTimeout(abort, Math.max(0, until - clock.monotonic()));
  stopping.addEventListener('abort', abort, { once: true });
  // A process that was stopped hears from its sockets before its timers: who asks then is told by the clock.
  Object.defineProperty(signal, 'aborted', {
    get: () => {
      if (clock.monotonic() >= until) abort();
      return Reflect.get(AbortSignal.prototype, 'aborted', signal) as boolean;
    },
  });
  return {
    signal,
    release: () => {
      clearTimeout(timer);
      stopping.removeEventListener('abort', abort);
    },
  };
}

function deadLetterOf(row: OutboxRow, error: Error, attempts: number, now: number): DeadLetter {
  const { id, kind, topic, key, headers, body, createdAt } = row;
  const code = (error as { code?: unknown }).code;
  return {
    id: uuidV7(now),
    group: OUTBOX_GROUP,
    message: { id, topic, headers, body, ...(key !== undefined && { key }) },
    kind,
    reason: 'unpublishable',
    error: { name: error.name, message: error.message.slice(0, 2_000), ...(typeof code === 'string' && { code }) },
    partition: 0,
    position: Number(row.seq),
    attempts,
    firstAttemptAt: createdAt,
    lastAttemptAt: now,
  };
}
