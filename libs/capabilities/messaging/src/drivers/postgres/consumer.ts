import { randomUUID } from 'node:crypto';
import type { DriverSite } from '@core-infra/kernel';
import type { PostgresMessagingConfig } from '../../config/postgres-messaging.config.js';
import type { ConsumeRequest, Consumption, DeliverySink, TopicBacklog } from '../../driver/message-driver.js';
import type { ReceivedMessage } from '../../driver/message.js';
import type { Boss } from './boss.js';
import type { Connection } from './connection.js';
import { Holdings } from './holdings.js';
import { decodeJob } from './job-data.js';
import type { Job, Jobs } from './jobs.js';
import { Leases } from './leases.js';
import { Pause } from './pause.js';
import { isMissingQueue, queueOf } from './queues.js';
import { Settler } from './settler.js';
import type { Sleeper, Waking } from './waking.js';

const atOnce = 500;
/** So many that there may well be more. */
const many = 50;
const firstPauseMs = 100;
const longestPauseMs = 2_000;
const idleFactor = 4;

export interface ConsumerSite {
  readonly connection: Connection;
  readonly boss: Boss;
  readonly jobs: Jobs;
  readonly waking: Waking;
  readonly config: PostgresMessagingConfig;
  readonly at: DriverSite;
  /** Resolves when the schema is there; rejects with why an attempt has failed, or when the signal aborts. */
  connected(signal: AbortSignal): Promise<void>;
}

/** A member of a group: claims messages of the partitions it holds, and removes them when they are settled. */
export class Consumer implements Consumption, Sleeper {
  readonly queues: ReadonlySet<string>;
  private readonly topics: ReadonlyMap<string, string>;
  private readonly holdings: Holdings;
  private readonly settler: Settler;
  private readonly pauseUntil = new Pause();
  private readonly guard: NodeJS.Timeout;
  private readonly inHand = new Map<ReceivedMessage, Job>();
  private bytesInHand = 0;
  private position = 0;
  private renewAt = 0;
  private fetchAt = 0;
  /** As much is in hand as may be. */
  private isFull = false;
  /** Is under way while what was claimed before is handed over. */
  private ahead?: Promise<readonly Job[]>;
  private paused = false;
  private stopped = false;
  private joined = false;
  /** A claim has failed, and may have been made nevertheless. */
  private isUnsure = false;
  private running: Promise<void> = Promise.resolve();
  private readonly ending = new AbortController();
  private begun!: () => void;
  /** Resolves when the group gets what is published, or this could not be had at the first attempt. */
  readonly ready = new Promise<void>(resolve => (this.begun = resolve));

  constructor(
    private readonly request: ConsumeRequest,
    private readonly sink: DeliverySink,
    private readonly site: ConsumerSite,
  ) {
    const { boss, connection, config, at, jobs } = site;
    this.topics = new Map(request.topics.map(topic => [queueOf(request.group, topic), topic]));
    this.queues = new Set(this.topics.keys());
    this.settler = new Settler((queue, ids) => boss.remove(queue, ids));
    this.holdings = new Holdings({
      leases: new Leases(connection, config, randomUUID()),
      jobs,
      sink,
      topicOf: queue => this.topics.get(queue)!,
      given: partitions => this.forget(partitions),
      flush: signal => this.settler.flush(signal),
      clock: at.clock,
      leaseMs: config.leaseMs,
    });
    // A statement that hangs must not keep what is no longer ours.
    this.guard = setInterval(() => this.holdings.expire(), config.leaseMs / 10).unref();
  }

  /** Makes the queues of the group. What is published to its topics from then on waits for it. */
  private async subscribe(): Promise<void> {
    const { boss } = this.site;
    const { group, topics, queues } = this.request;
    for (const topic of topics) {
      const queue = queueOf(group, topic);
      await (queues.includes(topic) ? boss.ensureQueue(queue) : boss.subscribe(topic, queue));
    }
  }

  start(): void {
    this.site.waking.add(this);
    this.running = this.run().then(async () => {
      await this.ahead?.catch(() => undefined);
    });
  }

  wake(): void {
    this.pauseUntil.end();
  }

  regroup(): void {
    this.renewAt = 0;
    this.wake();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.wake();
  }

  settle(message: ReceivedMessage): void {
    const job = this.drop(message);
    if (!job) return;
    this.settler.add(job.name, job.id);
    const { maxInFlight, maxBytesInFlight } = this.request;
    if (this.isFull && this.inHand.size <= maxInFlight / 2 && this.bytesInHand <= maxBytesInFlight / 2) this.wake();
  }

  release(message: ReceivedMessage): void {
    const job = this.drop(message);
    // A partition that is given up is put back as a whole.
    if (!job || this.stopped || !this.holdings.holds(job.name, job.number)) return;
    const { member } = this.holdings;
    this.site.jobs.putBack(job.name, { member, numbers: [job.number], only: [job.id] }).then(
      () => this.wake(),
      () => this.holdings.giveUp([{ name: job.name, number: job.number }]),
    );
  }

  async backlog(): Promise<readonly TopicBacklog[]> {
    const rows = await this.site.jobs.backlog([...this.queues]);
    return rows.map(({ name, messages, oldest }) => ({
      topic: this.topics.get(name)!,
      messages,
      ...(oldest !== null && { oldestMs: Math.max(0, Math.round(oldest)) }),
    }));
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.stopped = true;
    this.ending.abort(new Error('The member leaves.'));
    this.site.waking.remove(this);
    this.wake();
    clearInterval(this.guard);
    const aborted = new Promise<void>(resolve => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    const end = async (): Promise<void> => {
      await this.running;
      await this.settler.flush(signal);
      if (this.joined) await this.holdings.leaveAll([...this.queues]);
    };
    await Promise.race([
      end().catch((error: Error) =>
        this.site.at.logger.debug(`Leases are left to run out, as they cannot be given back: ${error.message}`),
      ),
      // What is settled or given back in the moment after is better than waiting for a lease to run out.
      aborted.then(() => new Promise<void>(resolve => setTimeout(resolve, 500).unref())),
    ]);
    this.settler.end();
    this.inHand.clear();
  }

  private async join(): Promise<void> {
    await this.site.connected(this.ending.signal);
    await this.subscribe();
    await this.holdings.renew([...this.queues]);
    await this.holdings.announce([...this.queues]);
    this.joined = true;
    this.begun();
  }

  private async run(): Promise<void> {
    const { config, waking, at } = this.site;
    let failures = 0;
    let woken = true;
    while (!this.stopped) {
      // What was told since a claim was begun may not be in its answer.
      if (!this.ahead) this.pauseUntil.begin();
      try {
        if (!this.joined) await this.join();
        // Never beside a claim: what a lease is taken up with is put back before.
        if (!this.ahead && at.clock.monotonic() >= this.renewAt) {
          this.renewAt = at.clock.monotonic() + config.leaseMs / 4;
          if (await this.holdings.renew([...this.queues])) woken = true;
        }
        const claimed = (woken || at.clock.monotonic() >= this.fetchAt) && (await this.fetch());
        this.sink.troubled(undefined);
        failures = 0;
        if (claimed) continue;
        const now = at.clock.monotonic();
        // Without NOTIFY nobody tells; with it, a look now and then is for what could have been missed.
        if (woken || now >= this.fetchAt) this.fetchAt = now + config.pollMs * (waking.isListening ? idleFactor : 1);
        woken = await this.pauseUntil.wait(Math.max(0, Math.min(this.renewAt, this.fetchAt) - now));
      } catch (error) {
        if (this.stopped) return;
        this.sink.troubled(error as Error);
        this.begun();
        if (isMissingQueue(error)) {
          this.site.boss.forget();
          this.joined = false;
        }
        this.renewAt = 0;
        woken = true;
        await this.pauseUntil.wait(
          Math.min(longestPauseMs, firstPauseMs * 2 ** failures++) * (0.5 + Math.random() / 2),
        );
      }
    }
  }

  /** Returns whether there may be more. */
  private async fetch(): Promise<boolean> {
    const claiming = this.ahead ?? this.claim();
    this.ahead = undefined;
    const jobs = await claiming;
    const messages = jobs.filter(({ name, number }) => this.holdings.holds(name, number)).map(job => this.take(job));
    if (messages.length < many || this.site.at.clock.monotonic() >= this.renewAt) {
      if (messages.length > 0) this.sink.deliver(messages);
      return jobs.length > 0;
    }
    // The server looks for the next while these are handed over.
    this.ahead = this.claim();
    this.ahead.catch(() => undefined); // thrown where it is waited for
    await new Promise(resolve => setImmediate(resolve));
    this.sink.deliver(messages);
    return true;
  }

  /** The next jobs, as many as there is room for. */
  private async claim(): Promise<readonly Job[]> {
    const { maxInFlight, maxBytesInFlight } = this.request;
    const limit = Math.min(atOnce, maxInFlight - this.inHand.size);
    const maxBytes = maxBytesInFlight - this.bytesInHand;
    const held = this.holdings.held();
    this.isFull = limit <= 0 || maxBytes <= 0;
    if (this.paused || this.stopped || this.isFull || held.length === 0) return [];
    if (this.isUnsure) await this.unclaim();
    this.isUnsure = true;
    const jobs = await this.site.jobs.claim({
      member: this.holdings.member,
      queues: held.map(({ name }) => name),
      numbers: held.map(({ number }) => number),
      limit,
      maxBytes,
    });
    this.isUnsure = false;
    return jobs;
  }

  /** Puts back what is claimed in our name and was never received, since the connection broke at the answer. */
  private async unclaim(): Promise<void> {
    for (const queue of this.queues) {
      const numbers = this.holdings.held().flatMap(({ name, number }) => (name === queue ? [number] : []));
      const ours = [...this.inHand.values()].map(({ id }) => id);
      const { member } = this.holdings;
      await this.site.jobs.putBack(queue, { member, numbers, except: [...ours, ...this.settler.pending] });
    }
  }

  private take(job: Job): ReceivedMessage {
    const message: ReceivedMessage = {
      attempts: 0,
      ...decodeJob(job, this.topics.get(job.name)!),
      partition: job.number,
      position: this.position++,
      time: Math.round(job.time),
    };
    this.inHand.set(message, job);
    this.bytesInHand += job.bytes;
    return message;
  }

  private drop(message: ReceivedMessage): Job | undefined {
    const job = this.inHand.get(message);
    if (!job) return undefined;
    this.inHand.delete(message);
    this.bytesInHand -= job.bytes;
    return job;
  }

  private forget(isGiven: (queue: string, number: number) => boolean): void {
    for (const [message, { name, number }] of this.inHand) if (isGiven(name, number)) this.drop(message);
  }
}
