import { setTimeout as delay } from 'node:timers/promises';
import { type DataSource, poolStats } from '@core-infra/database';
import type { DriverSite } from '@core-infra/kernel';
import type { DeclaredGroup } from '../../config/topic.config.js';
import type { PostgresMessagingConfig } from '../../config/postgres-messaging.config.js';
import type {
  ConsumeRequest,
  Consumption,
  DeliverySink,
  DriverFeatures,
  GroupMessage,
  MessageDriver,
} from '../../driver/message-driver.js';
import type { OutgoingMessage, WireMessage } from '../../driver/message.js';
import { DatabaseParkingLot } from '../../outbox/stores/database.parking-lot.js';
import { Boss } from './boss.js';
import { Connection } from './connection.js';
import { Consumer } from './consumer.js';
import { encodeJob, type JobState } from './job-data.js';
import { JobIds } from './job-ids.js';
import { JobWriter, type Results } from './job-writer.js';
import { Jobs, type NewJob } from './jobs.js';
import { PostgresDeadLetters } from './postgres.dead-letters.js';
import { isMissingQueue, parkedIn, partitionOf, queueOf } from './queues.js';
import { Waking } from './waking.js';

/** How long a boot waits for the database where `startup` is `background`, in milliseconds. */
const firstContactMs = 5_000;

/** How many inserts are under way at once at most. */
const mostInserts = 4;

/** Messages as jobs of pg-boss in the app's own database. */
export class PostgresBroker implements MessageDriver {
  readonly name = 'postgres';
  readonly features: DriverFeatures = {
    ordered: true,
    schedule: true,
    reach: 'network',
    durable: true,
    retention: 'subscribers',
  };
  readonly deadLetters: PostgresDeadLetters;
  readonly parking: DatabaseParkingLot;
  private readonly connection: Connection;
  private readonly boss: Boss;
  private readonly jobs: Jobs;
  private readonly waking: Waking;
  private readonly writer: JobWriter;
  private readonly ids = new JobIds();
  private connected = false;
  /** Wait for the outcome of the next attempt to connect. */
  private readonly waiting = new Set<(error?: Error) => void>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly config: PostgresMessagingConfig,
    private readonly at: DriverSite,
    /** Groups that are to get what is published though no member of them has run. */
    private readonly declared: readonly DeclaredGroup[] = [],
  ) {
    this.connection = new Connection(dataSource);
    this.boss = new Boss(this.connection, config, at);
    this.jobs = new Jobs(this.connection, config);
    this.waking = new Waking(at.clock);
    // The pool is the app's.
    const abreast = Math.max(1, Math.min(mostInserts, Math.floor(poolStats(dataSource).max / 4)));
    this.writer = new JobWriter(this.jobs, (queue, due) => this.stirred(queue, due), abreast);
    const { connection } = this;
    const database = {
      query: (sql: string, parameters?: unknown[]) => connection.query(sql, parameters) as Promise<never>,
    };
    this.parking = new DatabaseParkingLot(database, config.maxParked, parkedIn(config.schema));
    this.deadLetters = new PostgresDeadLetters(this.connection, this.boss, config.schema);
  }

  /** Makes the schema, or waits until another process has. */
  async connect(): Promise<void> {
    try {
      await this.boss.start();
      for (const { group, topic } of this.declared) await this.boss.subscribe(topic, queueOf(group, topic));
    } catch (error) {
      this.tell(error as Error);
      throw error;
    }
    const { listen, schema } = this.config;
    if (listen)
      this.waking.listen(this.dataSource, schema, error =>
        this.at.logger.debug(`Consumers are not woken at present, and look by themselves: ${error.message}`),
      );
    this.connected = true;
    this.tell();
  }

  async check(): Promise<Record<string, unknown>> {
    await this.connection.query(`SELECT version FROM ${this.config.schema}.version`);
    return { schema: this.config.schema, ...(this.config.listen && { wokenByNotify: this.waking.isListening }) };
  }

  async close(): Promise<void> {
    await this.waking.close();
    await this.boss.stop();
  }

  async publish(messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<Results> {
    const now = this.at.clock.now();
    return this.write(
      messages.map(message => this.jobOf(message, now, message.kind === 'task' ? message.topic : undefined)),
      signal,
    );
  }

  async sendToGroup(group: string, messages: readonly GroupMessage[], signal: AbortSignal): Promise<void> {
    const now = this.at.clock.now();
    const jobs = messages.map(message => {
      const { attempts, firstAttemptAt } = message;
      return this.jobOf(message, now, group, { attempts, firstAttemptAt, redelivered: true });
    });
    const error = (await this.write(jobs, signal)).find(result => result !== undefined);
    if (error) throw error;
  }

  async consume(request: ConsumeRequest, sink: DeliverySink): Promise<Consumption> {
    const { connection, boss, jobs, waking, config, at } = this;
    const connected = (signal: AbortSignal): Promise<void> => this.untilConnected(signal);
    const consumer = new Consumer(request, sink, { connection, boss, jobs, waking, config, at, connected });
    consumer.start();
    // A database that is away is tried again; the app need not wait for it.
    await Promise.race([consumer.ready, delay(firstContactMs, undefined, { ref: false })]);
    return consumer;
  }

  private jobOf(message: WireMessage & { notBefore?: number }, now: number, group?: string, state?: JobState): NewJob {
    const { topic, key, notBefore } = message;
    return {
      id: this.ids.next(now),
      ...(group === undefined ? { topic } : { queue: queueOf(group, topic) }),
      ...(key !== undefined && { key }),
      partition: partitionOf(key),
      data: encodeJob(message, state),
      ...(notBefore !== undefined && { notBefore }),
    };
  }

  private async write(jobs: readonly NewJob[], signal: AbortSignal): Promise<Results> {
    try {
      if (!this.connected) await this.untilConnected(signal);
    } catch (error) {
      return jobs.map(() => error as Error);
    }
    const results = await this.writeOnce(jobs, signal);
    if (!results.some(error => error && isMissingQueue(error))) return results;
    // Somebody has deleted it: it is made again.
    this.boss.forget();
    const places = [...jobs.keys()].filter(at => results[at] && isMissingQueue(results[at]));
    const again = await this.writeOnce(
      places.map(at => jobs[at]!),
      signal,
    );
    return results.map((error, at) => (places.includes(at) ? again[places.indexOf(at)] : error));
  }

  private async writeOnce(jobs: readonly NewJob[], signal: AbortSignal): Promise<Results> {
    const refused = new Map<string, Error>();
    for (const queue of new Set(jobs.flatMap(({ queue: own }) => own ?? [])))
      await this.boss.ensureQueue(queue).catch((error: Error) => refused.set(queue, error));
    if (refused.size === 0) return this.writer.write(jobs, signal);
    const errorOf = ({ queue }: NewJob): Error | undefined => (queue === undefined ? undefined : refused.get(queue));
    const rest = await this.writer.write(
      jobs.filter(job => !errorOf(job)),
      signal,
    );
    let next = 0;
    return jobs.map(job => errorOf(job) ?? rest[next++]);
  }

  private stirred(queue: string, due: number | null): void {
    // Where NOTIFY reaches this process, it does so for what it publishes itself.
    if (!this.waking.isListening) this.waking.stirred(queue, due);
  }

  private untilConnected(signal: AbortSignal): Promise<void> {
    if (this.connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const told = (error?: Error): void => (error ? reject(error) : resolve());
      this.waiting.add(told);
      signal.addEventListener('abort', () => told(signal.reason as Error), { once: true });
    });
  }

  private tell(error?: Error): void {
    for (const told of this.waiting) told(error);
    this.waiting.clear();
  }
}
